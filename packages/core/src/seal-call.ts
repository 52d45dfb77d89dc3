import { hmacDigest, inputDigest, type JsonValue } from "@agentkeys/contract";
import { copyInput } from "./copy-input.ts";
import type { Refusal } from "./decision.ts";
import type { GuardCall } from "./guard-surface.ts";

/** A call as it was at one moment: whatever happens to the caller's objects afterwards changes nothing. */
export interface Sealed {
  readonly tool: string;
  readonly callId: string | undefined;
  readonly runKey: string | undefined;
  readonly signal: AbortSignal | undefined;
  /** The guard's private copy. */
  readonly input: unknown;
  readonly json: unknown;
  /** null where the input could not be copied; then it is refused. */
  readonly digest: string | null;
  readonly refused: Refusal | undefined;
}

export function sealCall(call: GuardCall, digestKey: Uint8Array | undefined): Sealed {
  const { tool, callId, runKey, signal } = call;
  // Some frameworks give an empty id where a call has none.
  const facts = { tool, callId: callId || undefined, runKey, signal };
  try {
    const { value, json } = copyInput(call.input);
    const digest = digestOf(json as JsonValue, digestKey);
    return { ...facts, input: value, json, digest, refused: undefined };
  } catch (error) {
    const refused = {
      code: "input_not_copyable",
      reason: "input_not_copyable",
      explanation: (error as Error).message,
    } as const;
    return { ...facts, input: undefined, json: undefined, digest: null, refused };
  }
}

function digestOf(json: JsonValue, key: Uint8Array | undefined): string {
  return key === undefined ? inputDigest(json) : hmacDigest(key, json);
}
