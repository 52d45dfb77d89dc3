import type { Accepted } from "../client/session-info.ts";
import { createTaskProjection, type TaskProjection } from "../projections/task.ts";
import type { ReasonOptions } from "./decision.ts";
import type { ModeDefinition } from "./mode-session.ts";
import type { SendOptions, Session } from "./session-surface.ts";
import { filled, toBytes } from "./words.ts";

export interface RequestTaskOptions extends SendOptions {
  instructions?: string;
  /** Default: whoever accepts first. */
  requestedAssignee?: string;
  input?: Uint8Array | string;
  /** ms since 1970. Default: none. */
  deadlineMs?: number;
}

export interface UpdateTaskOptions extends SendOptions {
  status?: string;
  /** 0 to 1 by custom; never NaN or infinite. Default: 0. */
  progress?: number;
  message?: string;
  partialOutput?: Uint8Array | string;
}

export interface CompleteTaskOptions extends SendOptions {
  output?: Uint8Array | string;
  summary?: string;
}

export interface FailTaskOptions extends ReasonOptions {
  errorCode?: string;
  /** Whether another try may help. Default: false. */
  retryable?: boolean;
}

export interface TaskVerbs {
  /** The initiator's, once in a session. */
  requestTask(taskId: string, title: string, options?: RequestTaskOptions): Promise<Accepted>;
  acceptTask(taskId: string, options?: ReasonOptions): Promise<Accepted>;
  rejectTask(taskId: string, options?: ReasonOptions): Promise<Accepted>;
  /** The assignee's, as are the next two. */
  updateTask(taskId: string, options?: UpdateTaskOptions): Promise<Accepted>;
  completeTask(taskId: string, options?: CompleteTaskOptions): Promise<Accepted>;
  failTask(taskId: string, options?: FailTaskOptions): Promise<Accepted>;
}

export type TaskSession = Session<"task", TaskProjection> & TaskVerbs;

export const taskMode: ModeDefinition<"task", TaskProjection, TaskVerbs> = {
  key: "task",
  project: createTaskProjection,
  verbs: ({ send }, sender) => ({
    async requestTask(taskId, title, { instructions = "", requestedAssignee = "", ...rest } = {}) {
      filled({ taskId, title });
      const { input = "", deadlineMs = 0, ...options } = rest;
      const request = { taskId, title, instructions, requestedAssignee, input: toBytes(input) };
      return send("TaskRequest", { ...request, deadlineUnixMs: BigInt(deadlineMs) }, options);
    },
    async acceptTask(taskId, { reason = "", ...options } = {}) {
      return send("TaskAccept", { taskId, assignee: sender(options), reason }, options);
    },
    async rejectTask(taskId, { reason = "", ...options } = {}) {
      return send("TaskReject", { taskId, assignee: sender(options), reason }, options);
    },
    async updateTask(taskId, { status = "", progress = 0, message = "", ...rest } = {}) {
      const { partialOutput = "", ...options } = rest;
      const update = { taskId, status, progress, message, partialOutput: toBytes(partialOutput) };
      return send("TaskUpdate", update, options);
    },
    async completeTask(taskId, { output = "", summary = "", ...options } = {}) {
      const result = { taskId, assignee: sender(options), output: toBytes(output), summary };
      return send("TaskComplete", result, options);
    },
    async failTask(taskId, { errorCode = "", reason = "", retryable = false, ...options } = {}) {
      const failure = { taskId, assignee: sender(options), errorCode, reason, retryable };
      return send("TaskFail", failure, options);
    },
  }),
};
