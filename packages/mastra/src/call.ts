import { isDeniedOutput, type Outcome } from "@agentkeys/core";
import { isValidationError } from "@mastra/core/tools";
import type { ToolExecutionContext } from "@mastra/core/tools";

/** How a call is suspended, and with what it is resumed. `outputWriter` is one for each pass of a run, to its next halt. */
export type Pause = Partial<NonNullable<ToolExecutionContext["agent"]>> & {
  outputWriter?: object;
};

/** What Mastra tells of a call, and makes for it alone: for hooks, its own tools, tools of the AI SDK. */
export type CallContext = Omit<Partial<ToolExecutionContext>, "agent"> &
  Pause & { agent?: Pause; runId?: string };

/** What a guard's call takes from there. A hook is not told the run; a workflow's step has no id that stays. */
export function factsOf({ agent, toolCallId, abortSignal, mcp, runId }: CallContext) {
  const callId = agent?.toolCallId ?? toolCallId;
  return { callId, runKey: agent && runId, signal: abortSignal ?? mcp?.extra?.signal };
}

const halted = new WeakSet<object>();

/** Whether a call may suspend itself now. Of two in one pass Mastra loses one, and with it the process. */
export function mayHalt(pass: object = {}): boolean {
  return !halted.has(pass) && halted.add(pass).has(pass);
}

/** How a hook hears of the end, or the guard. */
type Ended = Record<"output" | "result" | "error", unknown>;

/** Notices from now on when the tool suspends itself. Tells the outcome at the end: of an output, or of an error. */
export function watch(context: CallContext) {
  const at: Pause = context.agent ?? context.workflow ?? context;
  const { suspend } = at;
  let suspended = false;
  if (suspend) {
    at.suspend = async (...args) => {
      if (!mayHalt(at.outputWriter)) throw new Error("another call of this turn is suspended");
      suspended = true;
      await suspend(...args);
    };
  }
  return (seen: Partial<Ended>): Outcome => {
    if (suspended) return "suspended";
    if ("error" in seen) return factsOf(context).signal?.aborted === true ? "aborted" : "error";
    const output = seen.output ?? seen.result;
    return isValidationError(output) || isDeniedOutput(output) ? "error" : "ok";
  };
}
