import { z } from "zod";
import type { TaskSession } from "../sessions/task.ts";
import {
  commitTool,
  type CoordinationTools,
  defineCoordinationTool,
  reason,
} from "./coordination-tool.ts";
import { statusTool } from "./status-tool.ts";

const taskId = z.string().describe("Id of the task.");
const text = new TextDecoder();

export const taskTools: CoordinationTools<TaskSession> = {
  task_status: statusTool("task", ({ projection }) => ({
    tasks: [...projection.state.tasks.values()].map((task) => ({
      task_id: task.taskId,
      title: task.title,
      instructions: task.instructions,
      input: text.decode(task.input),
      requested_assignee: task.requestedAssignee,
      status: task.status,
      assignee: task.assignee ?? null,
      progress: task.updates.at(-1)?.progress ?? null,
      ...(task.completion && {
        output: text.decode(task.completion.output),
        summary: task.completion.summary,
      }),
      ...(task.failure && {
        failure: task.failure.reason,
        error_code: task.failure.errorCode,
        retryable: task.failure.retryable,
      }),
    })),
  })),
  task_request: defineCoordinationTool({
    id: "task.request",
    title: "Ask for a task",
    description: "Asks a participant to do something. The initiator's, once in a session.",
    input: z.object({
      task_id: z.string().describe("A new id for it, short and telling."),
      title: z.string().describe("What is to be done, in a line."),
      instructions: z.string().default("").describe("How it is to be done."),
      requested_assignee: z.string().default("").describe("Who is to do it; empty for anyone."),
      input: z.string().default("").describe("What it is to be done with."),
    }),
    run: (session: TaskSession, input, options) =>
      session.requestTask(input.task_id, input.title, {
        instructions: input.instructions,
        requestedAssignee: input.requested_assignee,
        input: input.input,
        ...options,
      }),
  }),
  task_accept: defineCoordinationTool({
    id: "task.accept",
    title: "Take a task",
    description: "Takes the task on; from then on it is yours.",
    input: z.object({ task_id: taskId, reason }),
    run: (session: TaskSession, { task_id, reason: why }, options) =>
      session.acceptTask(task_id, { reason: why, ...options }),
  }),
  task_reject: defineCoordinationTool({
    id: "task.reject",
    title: "Turn a task down",
    description: "Says that you will not do the task.",
    input: z.object({ task_id: taskId, reason }),
    run: (session: TaskSession, { task_id, reason: why }, options) =>
      session.rejectTask(task_id, { reason: why, ...options }),
  }),
  task_update: defineCoordinationTool({
    id: "task.update",
    title: "Report progress",
    description: "Reports how far your task is.",
    input: z.object({
      task_id: taskId,
      progress: z.number().min(0).max(1).describe("0 to 1."),
      status: z.string().default("").describe("A word for what you are at."),
      message: z.string().default("").describe("What there is to say about it."),
    }),
    run: (session: TaskSession, { task_id, ...update }, options) =>
      session.updateTask(task_id, { ...update, ...options }),
  }),
  task_complete: defineCoordinationTool({
    id: "task.complete",
    title: "Hand in a task",
    description: "Reports your task as done, with its result.",
    input: z.object({
      task_id: taskId,
      output: z.string().describe("The result."),
      summary: z.string().default("").describe("The result in a sentence."),
    }),
    run: (session: TaskSession, { task_id, ...result }, options) =>
      session.completeTask(task_id, { ...result, ...options }),
  }),
  task_fail: defineCoordinationTool({
    id: "task.fail",
    title: "Give a task up",
    description: "Reports that your task cannot be done.",
    input: z.object({
      task_id: taskId,
      error_code: z.string().default("").describe("A short word for what went wrong."),
      reason,
      retryable: z.boolean().default(false).describe("Whether another try may help."),
    }),
    run: (session: TaskSession, input, options) =>
      session.failTask(input.task_id, {
        errorCode: input.error_code,
        reason: input.reason,
        retryable: input.retryable,
        ...options,
      }),
  }),
  task_commit: commitTool("task", "Ends the session, once the task is reported done or failed."),
};
