import { type InputCopy, copyInput } from "./copy-input.ts";
import type { Refusal } from "./decision.ts";
import type { GuardCall } from "./guard-surface.ts";
import { isWellFormed, toWellFormed } from "../json/well-formed.ts";

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
  if (!isName(tool) || !isOptionalName(callId) || !isOptionalName(runKey)) {
    const explanation = "tool, call id or run key is no text, or has half a character";
    refused ??= { code: "permission_denied", reason: "name_not_text", explanation };
  }
  return {
    tool: nameOf(tool) ?? "(nameless)",
    // Some frameworks give an empty id where a call has none.
    callId: nameOf(callId) || undefined,
    runKey: nameOf(runKey),
    signal,
    input,
    refused,
  };
}

function isName(name: unknown): name is string {
  return typeof name === "string" && isWellFormed(name);
}

/** Frameworks pass null, too. */
function isOptionalName(name: unknown): boolean {
  return name === undefined || name === null || isName(name);
}

/** What can be written down of a name. */
function nameOf(name: unknown): string | undefined {
  if (typeof name !== "string") return undefined;
  return isWellFormed(name) ? name : toWellFormed(name);
}

export function uncopyable(error: unknown): Refusal {
  const reason = "input_not_copyable";
  return { code: reason, reason, explanation: (error as Error).message };
}
