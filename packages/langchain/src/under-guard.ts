import type { Guard, GuardCall, JsonObject, Open, Outcome } from "@agentkeys/core";
import { ToolMessage } from "@langchain/core/messages";
import { isGraphBubbleUp, isParentCommand } from "@langchain/langgraph";

/** One execution: decided, run on the guard's copy of the input, recorded. */
export async function underGuard<R>(
  guard: Guard,
  call: GuardCall,
  run: (input: JsonObject) => R | PromiseLike<R>,
): Promise<R | ToolMessage> {
  const opened = await guard.open(call);
  if (opened.status !== "open") return failedCall(call, opened.message);
  try {
    const result = await run(opened.input);
    if (isGenerator(result)) return heldOpen(opened, result, call.signal) as R;
    await opened.end(outcomeOf(result));
    return result;
  } catch (error) {
    await opened.end(outcomeOfThrow(error, call.signal));
    throw error;
  }
}

/** LangChain's own form of a call that failed: the model reads it and the run goes on. A direct call has no id. */
export function failedCall(
  { tool, callId = "" }: Omit<GuardCall, "input">,
  text: string,
): ToolMessage {
  return new ToolMessage({ content: text, name: tool, tool_call_id: callId, status: "error" });
}

/** Interrupts and commands travel through tools as throws; they are LangGraph's and never the model's. */
export function isControlFlow(error: unknown): boolean {
  return error instanceof Error && isGraphBubbleUp(error);
}

async function* heldOpen(opened: Open, run: AsyncGenerator, signal?: AbortSignal): AsyncGenerator {
  let outcome: Outcome = "aborted"; // where the reader goes away before the end
  try {
    const result: unknown = yield* run;
    outcome = outcomeOf(result);
    return result;
  } catch (error) {
    outcome = outcomeOfThrow(error, signal);
    throw error;
  } finally {
    await opened.end(outcome);
  }
}

function isGenerator(result: unknown): result is AsyncGenerator {
  if (typeof result !== "object" || result === null || !("next" in result)) return false;
  return Symbol.asyncIterator in result || Symbol.iterator in result;
}

const outcomeOf = (result: unknown): Outcome =>
  ToolMessage.isInstance(result) && result.status === "error" ? "error" : "ok";

function outcomeOfThrow(error: unknown, signal?: AbortSignal): Outcome {
  if (isControlFlow(error)) return isParentCommand(error) ? "ok" : "suspended";
  return signal?.aborted === true ? "aborted" : "error";
}
