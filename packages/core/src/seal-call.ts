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
  const names = { tool: nameOf(tool), callId: nameOf(callId), runKey: nameOf(runKey) };
  if (names.tool !== tool || names.callId !== callId || names.runKey !== runKey) {
    refused ??= { code: "permission_denied", reason: "name_not_text", explanation: unnamed };
  }
  // Some frameworks give an empty id where a call has none.
  return { ...names, callId: names.callId || undefined, signal, input, refused };
}

const unnamed = "tool, call id or run key has half a character";

/** What can be written down of a name. */
function nameOf<T extends string | undefined>(name: T): T {
  // Frameworks pass null, too.
  return typeof name === "string" ? (name.replace(/\p{Surrogate}/gu, "\ufffd") as T) : name;
}

export function uncopyable(error: unknown): Refusal {
  const reason = "input_not_copyable";
  return { code: reason, reason, explanation: (error as Error).message };
}
