import { appended, placed } from "./collections.ts";
import { defineReducer, type Oddity } from "./mode-reducer.ts";
import { createProjection, type Projection } from "./projection.ts";

export interface TaskUpdate {
  readonly status: string;
  readonly progress: number;
  readonly message: string;
  readonly partialOutput: Uint8Array;
  readonly sender: string;
}

export interface TaskRefusal {
  readonly sender: string;
  readonly reason: string;
}

export interface Task {
  readonly taskId: string;
  readonly title: string;
  readonly instructions: string;
  /** Empty for whoever accepts first. */
  readonly requestedAssignee: string;
  readonly input: Uint8Array;
  /** ms since 1970; 0 for none. */
  readonly deadlineMs: number;
  readonly requester: string;
  readonly status: "Requested" | "Accepted" | "Rejected" | "Completed" | "Failed";
  /** Who works on it, or did; undefined while nobody has accepted. */
  readonly assignee: string | undefined;
  readonly refusals: readonly TaskRefusal[];
  readonly updates: readonly TaskUpdate[];
  readonly completion: { readonly output: Uint8Array; readonly summary: string } | undefined;
  readonly failure:
    | { readonly errorCode: string; readonly reason: string; readonly retryable: boolean }
    | undefined;
}

export interface TaskState {
  /** By task id, in order of arrival. */
  readonly tasks: ReadonlyMap<string, Task>;
}

function changed(
  state: TaskState,
  taskId: string,
  change: (task: Task) => Partial<Task> | Oddity,
): TaskState | Oddity {
  const task = state.tasks.get(taskId);
  if (task === undefined) {
    return { anomaly: "unknown_subject", subjectId: taskId, detail: "no such task" };
  }
  const next = change(task);
  if ("anomaly" in next) return next;
  return { tasks: placed(state.tasks, taskId, { ...task, ...next }) };
}

const taskReducer = defineReducer<"task", TaskState>({
  mode: "task",
  initial: { tasks: new Map() },
  phase: ({ tasks }) => [...tasks.values()].at(-1)?.status ?? "Pending",
  on: {
    TaskRequest: (state, { payload, sender }) => {
      const { taskId, title, instructions, requestedAssignee, input, deadlineUnixMs } = payload;
      const task: Task = {
        taskId,
        title,
        instructions,
        requestedAssignee,
        input,
        deadlineMs: Number(deadlineUnixMs),
        requester: sender,
        status: "Requested",
        assignee: undefined,
        refusals: [],
        updates: [],
        completion: undefined,
        failure: undefined,
      };
      return { tasks: placed(state.tasks, taskId, task) };
    },
    TaskAccept: (state, { payload: { taskId, assignee }, sender }) =>
      changed(state, taskId, (task) =>
        task.assignee === undefined
          ? { status: "Accepted", assignee: assignee || sender }
          : {
              anomaly: "duplicate_task_accept",
              subjectId: taskId,
              detail: `${task.assignee} has accepted it`,
            },
      ),
    // The assignee's own rejection gives the task back; anyone else's takes nothing away.
    TaskReject: (state, { payload: { taskId, reason }, sender }) =>
      changed(state, taskId, (task) => {
        const refusals = appended(task.refusals, { sender, reason });
        const held = task.assignee !== undefined && task.assignee !== sender;
        return held ? { refusals } : { refusals, status: "Rejected", assignee: undefined };
      }),
    TaskUpdate: (state, { payload, sender }) => {
      const { taskId, status, progress, message, partialOutput } = payload;
      const update = { status, progress, message, partialOutput, sender };
      return changed(state, taskId, ({ updates }) => ({ updates: appended(updates, update) }));
    },
    TaskComplete: (state, { payload: { taskId, output, summary } }) =>
      changed(state, taskId, () => ({ status: "Completed", completion: { output, summary } })),
    TaskFail: (state, { payload: { taskId, errorCode, reason, retryable } }) =>
      changed(state, taskId, () => ({
        status: "Failed",
        failure: { errorCode, reason, retryable },
      })),
  },
});

/** Where a query takes no task id, it speaks of the newest task; a session of today's runtimes has one. */
export interface TaskProjection extends Projection<TaskState> {
  getTask(taskId?: string): Task | undefined;
  isAccepted(taskId?: string): boolean;
  isCompleted(taskId?: string): boolean;
  isFailed(taskId?: string): boolean;
  /** Whether it failed and its assignee says that another try may help. */
  isRetryable(taskId?: string): boolean;
  /** The last reported progress; undefined before the first report. */
  progressOf(taskId?: string): number | undefined;
  latestProgress(taskId?: string): TaskUpdate | undefined;
  /** Accepted and not yet reported done or failed. */
  activeTasks(): readonly Task[];
}

export function createTaskProjection(): TaskProjection {
  return createProjection(taskReducer, (of) => {
    const get = (taskId?: string) =>
      taskId === undefined ? [...of.state.tasks.values()].at(-1) : of.state.tasks.get(taskId);
    return {
      getTask: get,
      isAccepted: (taskId) => get(taskId)?.assignee !== undefined,
      isCompleted: (taskId) => get(taskId)?.status === "Completed",
      isFailed: (taskId) => get(taskId)?.status === "Failed",
      isRetryable: (taskId) => get(taskId)?.failure?.retryable === true,
      progressOf: (taskId) => get(taskId)?.updates.at(-1)?.progress,
      latestProgress: (taskId) => get(taskId)?.updates.at(-1),
      activeTasks: () => [...of.state.tasks.values()].filter((t) => t.status === "Accepted"),
    };
  });
}
