import type { AuditEnvelope } from "@agentkeys/contract";
import type { ApprovalChange } from "../approvals/approval-store.ts";
import type { Clock, GuardCallRow, LogEntry, Store } from "./store.ts";

export const actor = `0x${"a1".repeat(32)}`;
export const otherActor = `0x${"b2".repeat(32)}`;
const operator = `0x${"0e".repeat(32)}`;

export function record(op_body: AuditEnvelope["op_body"], op_kind = 240): AuditEnvelope {
  const intent = { intent_text: null, intent_commitment: null };
  const who = { actor_omni: actor, operator_omni: operator };
  return { version: 1, ts_unix: 1_700_000_000, ...who, op_kind, op_body, result: 0, ...intent };
}

export function guardCall(begin_id: string, changes: Partial<GuardCallRow> = {}): GuardCallRow {
  const call = { tool: "order_food", call_id: "call-1", run_key: undefined };
  const answer = { verdict: "accept", answer: { verdict: "accept" } };
  const request = { begin_id, actor, operator_omni: operator, request_digest: "d1" };
  return { ...request, ...call, ...answer, ...changes };
}
/** How a revocation ends what its actor waits for. */
export function denied(): ApprovalChange {
  const decided = { outcome: "denied", approver: operator, reason: "revoked", at: 5 } as const;
  return { status: "denied", decided, record: record("denied", 111) };
}

export type Fresh = (clock?: Clock) => Promise<Store>;

export async function wholeLog(store: Store): Promise<LogEntry[]> {
  return store.entriesAfter(0, 1_000_000);
}

export function keep<T>(list: Promise<T>[], promise: Promise<T>): Promise<T> {
  list.push(promise);
  return promise;
}

/** What a promise rejects with; undefined if it does not. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}
