import { brandGuarded, type Guard } from "@agentkeys/core";
import { type FunctionTool, getCurrentTraceContext, NoopSpan } from "@openai/agents-core";
import { NoopTrace, withTraceContext } from "@openai/agents-core";
import {
  type FunctionToolPreparedInput,
  prepareFunctionToolInput,
  setFunctionToolPreparedInput,
} from "@openai/agents-core/utils/internal";
import { takeLeft } from "./needs-approval.ts";
import { type AnyFunctionTool, isAgentTool, runKeyOf } from "./sdk-tool.ts";
import { noteInterruption, watchCall, type Watched } from "./watched-call.ts";

/** Decides, or uses up what was decided, and has the tool run the guard's own copy of the parsed input. */
export function guardedInvoke(guard: Guard, tool: AnyFunctionTool): FunctionTool["invoke"] {
  const invoke: FunctionTool["invoke"] = async (context, input, details = {}) => {
    const read = prepareFunctionToolInput(tool, input) as FunctionToolPreparedInput;
    // Read once: what does not parse now is not to parse when the SDK answers it.
    setFunctionToolPreparedInput(details, read);
    if (!read.result.success) return tool.invoke(context, input, details);
    const { toolCall: { callId } = {}, signal } = details;
    const { denial, resumed } = takeLeft(context, JSON.parse(input), callId);
    if (denial !== undefined) return denial.message;
    const seen: Watched = { agent: isAgentTool(tool), interrupted: false, failed: false };
    const ran = await guard.run(
      { tool: tool.name, input: read.result.value, callId, runKey: runKeyOf(context), signal },
      async (value) => {
        const result = { success: true as const, value };
        setFunctionToolPreparedInput(details, { ...read, consumed: false, result });
        watchCall(seen);
        return hearing(seen, () => tool.invoke(context, input, details));
      },
      {
        resumed,
        outcome: () => {
          if (seen.interrupted) return "suspended";
          return seen.failed && signal?.aborted !== true ? "error" : undefined;
        },
      },
    );
    if (seen.interrupted) noteInterruption();
    return ran.status === "ran" ? ran.result : ran.message;
  };
  return brandGuarded(invoke, guard);
}

/** The SDK makes a text of what a tool throws, and tells nobody but the current span. */
async function hearing(seen: { failed: boolean }, run: () => Promise<unknown>) {
  const { trace = new NoopTrace(), span: current } = getCurrentTraceContext() ?? {};
  if (current && !(current instanceof NoopSpan)) {
    const before = current.error;
    const result = await run();
    seen.failed = current.error !== before;
    return result;
  }
  const setError = (): void => void (seen.failed = true);
  const silent = new NoopSpan({ type: "custom", name: "agentkeys", data: {} }, {} as never);
  return withTraceContext({ trace, span: Object.assign(silent, { setError }) }, run);
}
