import { type InputCopy, copyInput } from "./copy-input.ts";
import type { Refusal } from "./decision.ts";
import type { GuardCall } from "./guard-surface.ts";

/** A call as it was at one moment: whatever happens to the caller's objects afterwards changes nothing. */
export interface Sealed {
  readonly tool: string;
  readonly callId: string | undefined;
  readonly runKey: string | undefined;
  readonly signal: AbortSignal | undefined;
  /** The guard's private copy; undefined where there can be none, and then the call is refused. */
  readonly input: InputCopy | undefined;
  readonly refused: Refusal | undefined;
}

export function sealCall(call: GuardCall): Sealed {
  const { tool, callId, runKey, signal } = call;
  let input: InputCopy | undefined;
  let refused: Refusal | undefined;
  try {
    input = copyInput(call.input);
  } catch (error) {
    refused = uncopyable(error);
  }
  // Some frameworks give an empty id where a call has none.
  return { tool, callId: callId || undefined, runKey, signal, input, refused };
}

export function uncopyable(error: unknown): Refusal {
  const reason = "input_not_copyable";
  return { code: reason, reason, explanation: (error as Error).message };
}
