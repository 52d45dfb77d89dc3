import { randomUUID } from "node:crypto";
import type { Approval } from "@agentkeys/contract";
import type { Begun } from "../guard/begin-answer.ts";
import { actor, type Caller, type Harness, type HttpInit, operator } from "./harness.test-kit.ts";

export const digest = `0x${"d1".repeat(32)}`;

/** Above what is allowed without a question: `¥400`. */
export function call(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    actor,
    operator_omni: operator,
    begin_id: randomUUID(),
    call_id: "call-1",
    run_key: "thread-1",
    tool: "order_food",
    scope: "payment.spend",
    params: { amount_rmb: 400 },
    input_digest: digest,
    ...changes,
  };
}

export type Answered = Omit<Begun, "approval"> & { readonly approval: Approval };

/** Fails on an error. */
export async function begin(
  { rpc }: Harness,
  params: Record<string, unknown>,
  caller?: Caller,
): Promise<Answered> {
  const { result, error } = await rpc("guard/begin", params, caller);
  if (result === undefined) throw new Error(error?.message);
  return result as unknown as Answered;
}

export function end(harness: Harness, begun: Pick<Begun, "ticket">, more: object = {}) {
  return harness.rpc("guard/end", { actor, ticket: begun.ticket, outcome: "ok", ...more });
}

export interface Decided {
  status: number;
  ok?: boolean;
  approval?: Approval;
  envelope_hash?: string;
  error?: string;
  reason?: string;
  data?: Record<string, unknown>;
}

/** With the operator's token and the approval's digest unless `fields` and `init` say otherwise. */
export async function decide(
  harness: Harness,
  word: "approve" | "deny",
  approval: Pick<Approval, "id" | "digest">,
  more: { fields?: object; init?: HttpInit } = {},
): Promise<Decided> {
  const json = { digest: approval.digest, reason: "lunch", ...more.fields };
  const init = { token: "operator-tok", json, ...more.init };
  const { status, text } = await harness.http("POST", `/v1/approvals/${approval.id}/${word}`, init);
  return { status, ...(JSON.parse(text) as object) };
}

/** Asked and approved: ready to be begun again. */
export async function approved(
  harness: Harness,
  changes: Record<string, unknown> = {},
): Promise<Approval> {
  const { approval } = await begin(harness, call(changes));
  const { status } = await decide(harness, "approve", approval);
  if (status !== 200) throw new Error(`approve: ${status}`);
  return approval;
}

/** A clock that tests turn on, in seconds. */
export function handClock(): { clock: () => number; pass(seconds: number): void } {
  let now = 1_800_000_000_000;
  return { clock: () => now, pass: (seconds) => void (now += seconds * 1000) };
}
