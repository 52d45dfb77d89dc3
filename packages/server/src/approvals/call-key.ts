import { hash } from "node:crypto";

/** What makes two attempts one call. */
export interface CallIdentity {
  readonly actor: string;
  readonly run_key: string | undefined;
  readonly tool: string;
  readonly call_id: string;
  readonly input_digest: string;
}

/** Names a run: 16 bytes. Those of one run lie side by side in an index. */
export function runKeyOf(actor: string, run_key: string | undefined): Buffer {
  return digest([actor, run_key ?? null]);
}

/** Names a call: 32 bytes, the first 16 of them its run's. */
export function callKey(call: CallIdentity): Uint8Array {
  const { actor, run_key, tool, call_id, input_digest } = call;
  const run = runKeyOf(actor, run_key);
  return Buffer.concat([run, digest([tool, call_id, input_digest.toLowerCase()])]);
}

function digest(parts: readonly (string | null)[]): Buffer {
  return hash("sha256", JSON.stringify(parts), "buffer").subarray(0, 16);
}
