import type { ApprovalRef, Guard, GuardCall, JsonObject, Outcome, Settled } from "@agentkeys/core";
import { ToolMessage } from "@langchain/core/messages";
import { AsyncLocalStorageProviderSingleton } from "@langchain/core/singletons";
import type { ToolRunnableConfig } from "@langchain/core/tools";
import { interrupt, isGraphBubbleUp, isParentCommand } from "@langchain/langgraph";
import type { HITLRequest } from "langchain";

/** A run waits for a person with an interrupt of this value: what `humanInTheLoopMiddleware` shows, and the approval. */
export interface ApprovalInterrupt extends HITLRequest {
  approval: ApprovalRef;
}

/** `configurable` is what LangGraph tells of the run; in its scratchpad lies what the run was resumed with. */
export type GraphCall = GuardCall & { configurable: ToolRunnableConfig["configurable"] };

/** `interruptCounter` is the index of the last answer that was read. */
type Scratchpad = { resume: unknown[]; nullResume?: unknown; interruptCounter: number };

/** One execution: decided, run on the guard's copy of the input, recorded. Where a person is asked, the graph is interrupted. */
export async function underGuard<R>(
  guard: Guard,
  { configurable = {}, ...given }: GraphCall,
  execute: (input: JsonObject) => R | PromiseLike<R>,
): Promise<R | ToolMessage> {
  const { thread_id, checkpoint_ns: ns, __pregel_checkpointer, __pregel_scratchpad } = configurable;
  const isFound = given.callId !== undefined && thread_id !== undefined && Boolean(ns);
  const runKey = isFound ? `${String(thread_id).replaceAll("#", "%23")}#${String(ns)}` : undefined;
  const call = { ...given, runKey };
  const pad = __pregel_scratchpad as Scratchpad | undefined;
  const answer = pad?.resume.at(-1) ?? pad?.nullResume;
  // What a run is resumed with proves nothing: it is left unread, and a rejection takes back what is asked.
  const suspend = (approval: ApprovalRef): unknown =>
    isRejection(answer) ? guard.withdraw(call) : interruptUnread(configurable, call, approval);
  const ran = await guard.run(
    call,
    (input, { approval }) => {
      // Uses our answer up, so that the tool's own interrupts keep theirs.
      if (approval !== undefined && pad !== undefined && isUnread(pad)) interrupt(null);
      return execute(input);
    },
    { outcome, ...(runKey !== undefined && Boolean(__pregel_checkpointer) && { suspend }) },
  );
  return ran.status === "ran" ? ran.result : failedCall(call, ran.message);
}

/** LangChain's own form of a call that failed: the model reads it and the run goes on. A direct call has no id. */
export function failedCall({ tool, callId = "" }: Omit<GuardCall, "input">, text: string) {
  return new ToolMessage({ content: text, name: tool, tool_call_id: callId, status: "error" });
}

/** Interrupts and commands travel through tools as throws; they are LangGraph's and never the model's. */
export function isControlFlow(error: unknown): error is Error {
  return error instanceof Error && isGraphBubbleUp(error);
}

function outcome(settled: Settled): Outcome | undefined {
  const { result, error } = settled as { result?: unknown; error?: unknown };
  if (isControlFlow(error)) return isParentCommand(error) ? "ok" : "suspended";
  return ToolMessage.isInstance(result) && result.status === "error" ? "error" : undefined;
}

function interruptUnread(configurable: object, { tool, input }: GuardCall, approval: ApprovalRef) {
  const value: ApprovalInterrupt = {
    actionRequests: [{ name: tool, args: input as JsonObject, description: approval.text }],
    reviewConfigs: [{ actionName: tool, allowedDecisions: ["approve", "reject"] }],
    approval,
  };
  const __pregel_scratchpad = { resume: [], interruptCounter: -1 };
  const config = { configurable: { ...configurable, __pregel_scratchpad } };
  return AsyncLocalStorageProviderSingleton.runWithConfig(config, () => interrupt(value));
}

function isUnread({ resume, nullResume, interruptCounter }: Scratchpad): boolean {
  return nullResume !== undefined || interruptCounter + 1 < resume.length;
}

function isRejection(answer: unknown): boolean {
  const { decisions } = Object(answer) as { decisions?: unknown };
  return Array.isArray(decisions) && decisions.some((one) => Object(one).type === "reject");
}
