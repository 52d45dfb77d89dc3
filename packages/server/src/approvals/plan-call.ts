import { type Answer, intentOf } from "../guard/begin-answer.ts";
import type { BeginRequest } from "../guard/begin-request.ts";
import type { Services } from "../services.ts";
import type { GuardCallRow } from "../store/store.ts";
import type { CallPlan, NewApproval } from "./approval-store.ts";
import { expiry } from "./decisions.ts";
import type { Judgement, Question } from "./judge.ts";

export interface Met {
  /** The policy's word. */
  readonly answer: Answer & { readonly verdict: "accept" | "ask_parent" };
  readonly request_digest: string;
  readonly toRow: (given: Answer) => GuardCallRow;
}

export interface Planned extends CallPlan {
  readonly judgement: Judgement;
  readonly given: Answer;
}

export function toQuestion(
  services: Services,
  begin: BeginRequest,
  { answer, now }: { answer: Met["answer"]; now: number },
): Question {
  const { verdict, reason, explanation } = answer;
  const { run_key, scope, begin_id, idempotent, may_ask } = begin;
  return {
    verdict,
    reason,
    explanation,
    run_key,
    scope,
    operator_omni: begin.operator,
    begin_id,
    idempotent,
    may_ask,
    input_digest: (begin.input_digest ?? "").toLowerCase(),
    policy_version: services.policyVersion(begin.actor.id),
    uncertain: begin.uncertain !== undefined,
    together: services.quorum(begin.actor.id, scope) !== undefined,
    now,
  };
}

export interface Deciding {
  readonly begin: BeginRequest;
  readonly met: Met;
  readonly fresh: NewApproval | undefined;
  readonly judgement: Judgement;
}

/** What is answered and written. */
export function planOf(services: Services, deciding: Deciding): Planned {
  const { begin, judgement, met } = deciding;
  const { run_key, begin_id, call_id } = begin;
  const given = givenOf(deciding);
  const { expired } = judgement;
  const expires = expired && { id: expired.id, change: expiry(services, expired) };
  const plan = { judgement, given, expires };
  if (judgement.do === "wait" || judgement.do === "replay" || judgement.do === "neither")
    return plan;
  const uses = judgement.do === "run" ? judgement.uses : undefined;
  const rule = judgement.do === "run" ? judgement.rule : undefined;
  const basis = {
    ...(given.approval === undefined ? {} : { approval: given.approval.id }),
    ...(rule === undefined ? {} : { rule }),
  };
  const named = run_key !== undefined && call_id !== begin_id;
  return {
    ...plan,
    write: {
      row: met.toRow(given),
      intent: intentOf(services, begin, { ...given, basis }),
      opens: judgement.do === "ask" ? deciding.fresh : undefined,
      uses,
      remembered: judgement.do === "run" && (uses !== undefined || named),
    },
  };
}

function givenOf({ met, judgement, fresh, begin: { scope } }: Deciding): Answer {
  switch (judgement.do) {
    case "run": {
      const { reason, explanation, uses } = judgement;
      const approval = uses === undefined ? undefined : { id: uses };
      return { verdict: "accept", scope, reason, explanation, ...(approval && { approval }) };
    }
    case "refuse": {
      const { reason, explanation } = judgement;
      return { verdict: "deny", scope, reason, explanation };
    }
    case "ask":
      return fresh === undefined ? met.answer : { ...met.answer, approval: { id: fresh.id } };
    case "replay":
      return {
        verdict: "accept",
        scope,
        reason: "already_executed",
        explanation: "this very call has been executed: its result is given again, nothing runs",
      };
    default:
      return met.answer;
  }
}
