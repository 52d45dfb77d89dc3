import type { Guard } from "@agentkeys/core";
import type { ModelMessage, ToolCallPart } from "ai";

/** The run's own name, the same when it is resumed: `runtimeContext: { runKey }`. */
export function runKeyOf(runtimeContext: unknown): string | undefined {
  const { runKey } = Object(runtimeContext) as { runKey?: unknown };
  return typeof runKey === "string" ? runKey : undefined;
}

/**
 * The calls to which a client that resumes the run says yes, or no: answered in the last message, and still without a
 * result. It proves nothing; a client writes its own history.
 */
export function callsAnswered(messages: readonly ModelMessage[], yes: boolean): ToolCallPart[] {
  const last = messages.at(-1);
  if (last?.role !== "tool") return [];
  const answers = last.content.filter((part) => part.type === "tool-approval-response");
  const approvals = answers.filter(({ approved }) => approved === yes);
  if (approvals.length === 0) return [];
  const said = messages.flatMap(({ role, content }) =>
    role === "assistant" && typeof content !== "string" ? content : [],
  );
  const asked = said
    .filter((part) => part.type === "tool-approval-request")
    .filter(({ approvalId }) => approvals.some((answer) => answer.approvalId === approvalId));
  const results = last.content.filter((part) => part.type === "tool-result");
  return said
    .filter((part) => part.type === "tool-call")
    .filter(({ toolCallId: id }) => asked.some(({ toolCallId }) => toolCallId === id))
    .filter(({ toolCallId: id }) => !results.some(({ toolCallId }) => toolCallId === id));
}

/** A call that the client rejects comes to neither seam nor object, so what is asked about it is taken back here. */
export async function withdrawRejected(
  guard: Guard,
  { initialMessages, runtimeContext }: { initialMessages: ModelMessage[]; runtimeContext: unknown },
): Promise<void> {
  const runKey = runKeyOf(runtimeContext);
  await Promise.all(
    callsAnswered(initialMessages, false).map(({ toolName: tool, toolCallId: callId, input }) =>
      guard.withdraw({ tool, input, callId, runKey }),
    ),
  );
}
