import type { ApprovalFilter } from "./approval-surface.ts";
import type { JsonObject } from "../guard/guard-surface.ts";

/** A filter in the wire's names. */
export function filterFields(filter: ApprovalFilter): JsonObject {
  const { status, tool, callId, inputDigest, runKey } = filter;
  const fields = { status, tool, call_id: callId, input_digest: inputDigest, run_key: runKey };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
