import { denied, type Refusal, refuse } from "../kernel/refusal.ts";
import { taskDenials } from "../policy/mode-policies.ts";
import { bindRules } from "../policy/policy.ts";
import { taskRules } from "../policy/rules.ts";
import { defineMode, type Turn } from "./mode.ts";
import type { SessionTerms } from "./session-terms.ts";

interface Task {
  task_id: string;
  title: string;
  instructions: string;
  /** Empty: whoever accepts first. */
  requested_assignee: string;
  input: Uint8Array;
  deadline_unix_ms: bigint;
  requester: string;
}

interface Completion {
  task_id: string;
  assignee: string;
  output: Uint8Array;
  summary: string;
}

interface Failure {
  task_id: string;
  assignee: string;
  error_code: string;
  reason: string;
  retryable: boolean;
}

interface TaskState {
  task: Task | null;
  active_assignee: string | null;
  rejections: { task_id: string; assignee: string; reason: string }[];
  updates: {
    task_id: string;
    status: string;
    progress: number;
    message: string;
    partial_output: Uint8Array;
    sender: string;
  }[];
  terminal_report: { Complete: Completion } | { Fail: Failure } | null;
}

interface AboutTask {
  readonly taskId: string;
  readonly assignee?: string;
}

const mayBeReassigned = ({ policy }: SessionTerms): boolean =>
  bindRules(policy, taskRules).rules.assignment.allow_reassignment_on_reject;

/** The task that a payload speaks of, where there is one. */
function taskOf({ state, payload }: Turn<TaskState, AboutTask>): Task | undefined {
  const { task } = state;
  return task !== null && task.task_id === payload.taskId ? task : undefined;
}

const speaksForOther = ({ payload, sender }: Turn<TaskState, AboutTask>): boolean =>
  (payload.assignee ?? "") !== "" && payload.assignee !== sender;

function mayRespond({ terms, sender }: Turn<TaskState, AboutTask>, task: Task): boolean {
  return task.requested_assignee === ""
    ? sender !== terms.initiator
    : sender === task.requested_assignee;
}

/** A report is the active assignee's, until the last one is in. */
function checkReport(turn: Turn<TaskState, AboutTask>): Refusal | undefined {
  if (taskOf(turn) === undefined) return refuse("InvalidPayload");
  const { active_assignee, terminal_report } = turn.state;
  if (terminal_report !== null || active_assignee !== turn.sender) return refuse("Forbidden");
  return speaksForOther(turn) ? refuse("InvalidPayload") : undefined;
}

function checkAccept(turn: Turn<TaskState, AboutTask>): Refusal | undefined {
  const task = taskOf(turn);
  const { active_assignee, rejections } = turn.state;
  if (task === undefined || active_assignee !== null) return refuse("InvalidPayload");
  if (rejections.length > 0 && !mayBeReassigned(turn.terms)) {
    return denied(["reassignment after rejection not allowed by policy"]);
  }
  if (speaksForOther(turn)) return refuse("InvalidPayload");
  return mayRespond(turn, task) ? undefined : refuse("Forbidden");
}

function checkReject(turn: Turn<TaskState, AboutTask>): Refusal | undefined {
  const task = taskOf(turn);
  if (task === undefined) return refuse("InvalidPayload");
  const { active_assignee: active, rejections } = turn.state;
  if (active !== null && active !== turn.sender) return refuse("InvalidPayload");
  if (active !== null && !mayBeReassigned(turn.terms)) {
    return denied(["active assignee cannot reject without allow_reassignment_on_reject policy"]);
  }
  if (speaksForOther(turn)) return refuse("InvalidPayload");
  if (active === null && !mayRespond(turn, task)) return refuse("Forbidden");
  const before = rejections.some(({ assignee }) => assignee === turn.sender);
  return before ? refuse("InvalidPayload") : undefined;
}

export const task = defineMode<"task", TaskState>("task", {
  // The initiator only asks; somebody else must be there to do it.
  roster: ({ participants, initiator }) => participants.some((who) => who !== initiator),
  start: () => ({
    task: null,
    active_assignee: null,
    rejections: [],
    updates: [],
    terminal_report: null,
  }),
  messages: {
    TaskRequest: {
      from: "initiator",
      check({ terms, state, payload: { taskId, requestedAssignee } }) {
        const known = requestedAssignee === "" || terms.members.has(requestedAssignee);
        return state.task === null && taskId !== "" && known ? undefined : refuse("InvalidPayload");
      },
      apply({ state, payload, sender }) {
        state.task = {
          task_id: payload.taskId,
          title: payload.title,
          instructions: payload.instructions,
          requested_assignee: payload.requestedAssignee,
          input: payload.input,
          deadline_unix_ms: payload.deadlineUnixMs,
          requester: sender,
        };
      },
    },
    TaskAccept: {
      check: checkAccept,
      apply({ state, sender }) {
        state.active_assignee = sender;
      },
    },
    TaskReject: {
      check: checkReject,
      apply({ state, payload: { taskId, reason }, sender }) {
        state.active_assignee = null;
        state.rejections.push({ task_id: taskId, assignee: sender, reason });
      },
    },
    TaskUpdate: {
      // What JSON cannot hold could never be read back.
      check: (turn) =>
        checkReport(turn) ??
        (Number.isFinite(turn.payload.progress) ? undefined : refuse("InvalidPayload")),
      apply({ state, payload, sender }) {
        const { taskId, status, progress, message, partialOutput } = payload;
        const update = { task_id: taskId, status, progress, message };
        state.updates.push({ ...update, partial_output: partialOutput, sender });
      },
    },
    TaskComplete: {
      check: checkReport,
      apply({ state, payload: { taskId, output, summary }, sender }) {
        state.terminal_report = {
          Complete: { task_id: taskId, assignee: sender, output, summary },
        };
      },
    },
    TaskFail: {
      check: checkReport,
      apply({ state, payload: { taskId, errorCode, reason, retryable }, sender }) {
        const report = { task_id: taskId, assignee: sender, error_code: errorCode };
        state.terminal_report = { Fail: { ...report, reason, retryable } };
      },
    },
  },
  commitment: {
    ready: ({ state }) => state.terminal_report !== null,
    denials({ terms, state: { terminal_report: report }, payload }) {
      const hasOutput =
        report !== null && "Complete" in report && report.Complete.output.length > 0;
      return taskDenials(bindRules(terms.policy, taskRules), hasOutput, payload.outcomePositive);
    },
  },
});
