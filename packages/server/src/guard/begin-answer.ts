import { AgentKeysError, type Approval, type AuditEnvelope } from "@agentkeys/contract";
import { shownTo } from "../approvals/approval.ts";
import type { BeginRequest } from "./begin-request.ts";
import type { Fields } from "../rpc/fields.ts";
import { kind, notPermitted, success, toEnvelope } from "../audit/records.ts";
import type { Services } from "../services.ts";
import type { GuardCallRow, GuardOutcome } from "../store/store.ts";

/** What is answered, and kept so that a repeated begin is answered alike. */
export interface Answer {
  readonly verdict: "accept" | "deny" | "ask_parent";
  readonly scope: string | null;
  readonly reason: string;
  readonly explanation: string;
  readonly approval?: { readonly id: string } | undefined;
}

/** The ticket is the begin's own id: it needs no secret, because only the actor that began may end. Empty: nothing was written. */
export interface Begun extends Omit<Answer, "approval"> {
  readonly ticket: string;
  readonly envelope_hash: string | null;
  readonly approval?: Approval | { readonly id: string } | undefined;
  /** What became of the same call before; nothing may run. */
  readonly executed?: { readonly outcome: GuardOutcome; readonly result: unknown } | undefined;
}

/** The intent of a guarded call. `basis`: the approval or the rule that it runs on. */
export function intentOf(
  services: Services,
  begin: BeginRequest,
  given: { verdict: string; reason: string; basis?: Fields },
): AuditEnvelope {
  const { tool, call_id, run_key, scope, input_digest, clear } = begin;
  const { verdict, reason, basis } = given;
  const op_body: Fields = { tool, call_id, scope, verdict, reason, input_digest, ...basis };
  if (run_key !== undefined) op_body["run_key"] = run_key;
  if (clear !== undefined) op_body["clear"] = clear;
  return toEnvelope(services, {
    actor: begin.actor.id,
    operator: begin.operator,
    op_kind: kind.guard_intent,
    op_body,
    result: verdict === "accept" ? success : notPermitted,
  });
}

/** The same answer again; an approval as it stands now. */
export async function answeredBefore(
  services: Services,
  { begin_id, actor }: BeginRequest,
  { row, envelope_hash }: { row: GuardCallRow; envelope_hash: string },
): Promise<Begun> {
  const answer = row.answer as Answer;
  const { verdict, approval } = answer;
  const begun = { ...answer, ticket: begin_id, envelope_hash };
  if (verdict !== "ask_parent" || approval === undefined) return begun;
  const now = await services.store.approval(approval.id);
  if (now?.actor !== actor.id) return begun;
  return { ...begun, approval: await shownTo(services, "actor", now) };
}

export function usedBefore({ begin_id }: BeginRequest): AgentKeysError {
  return new AgentKeysError("conflict", `begin_id ${begin_id} was used for another call`);
}

/** The client gave this attempt up before it arrived: nothing is written, and nothing may run. */
export function endedBefore({ scope, begin_id }: BeginRequest): Begun {
  const explanation = "the client ended this call before its begin arrived";
  const reason = "ended_before_begin";
  return {
    verdict: "deny",
    scope,
    reason,
    explanation,
    ticket: begin_id,
    envelope_hash: null,
  };
}
