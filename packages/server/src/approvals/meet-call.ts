import { AgentKeysError } from "@agentkeys/contract";
import { answeredBefore, type Begun, endedBefore, usedBefore } from "../guard/begin-answer.ts";
import type { BeginRequest } from "../guard/begin-request.ts";
import { unixNow } from "../audit/records.ts";
import type { Services } from "../services.ts";
import type { LogEntry } from "../store/store.ts";
import { KEPT_LIMIT, shownTo, toApproval } from "./approval.ts";
import type { ApprovalRow, Attempt, KnownCall, NewApproval } from "./approval-store.ts";
import { callKey } from "./call-key.ts";
import { judge, type Question } from "./judge.ts";
import { type Met, type Planned, planOf, toQuestion } from "./plan-call.ts";

/** A begin whose answer depends on what is known of the call: an approval, an earlier attempt, a remembered decision. */
export async function meetCall(services: Services, begin: BeginRequest, met: Met): Promise<Begun> {
  const attempt = toAttempt(services, begin, met);
  const question = toQuestion(services, begin, { answer: met.answer, now: attempt.now });
  const asks = question.verdict === "ask_parent" && begin.may_ask;
  const fresh = asks ? await toFresh(services, begin, { question, attempt }) : undefined;
  const plan = (known: KnownCall) =>
    planOf(services, { begin, met, fresh, judgement: judge(question, known) });
  const result = await services.store.meet(attempt, plan);
  switch (result.kind) {
    case "planned":
      return toBegun(services, begin, { ...result, fresh });
    case "repeated":
      return answeredBefore(services, begin, result);
    case "conflict":
      throw usedBefore(begin);
    case "ended_before":
      return endedBefore(begin);
  }
}

function toAttempt(services: Services, begin: BeginRequest, { request_digest }: Met): Attempt {
  const { begin_id, call_id, run_key, tool, grant } = begin;
  const actor = begin.actor.id;
  const input_digest = (begin.input_digest ?? "").toLowerCase();
  const nameless = call_id === begin_id;
  return {
    begin_id,
    actor,
    tool,
    grant,
    request_digest,
    call: callKey({ actor, run_key, tool, call_id, input_digest }),
    binds: (approval) =>
      approval.kind === "guard" &&
      approval.actor === actor &&
      approval.tool === tool &&
      approval.run_key === run_key &&
      approval.input_digest === input_digest &&
      // A call without an id of its own is found by nothing but the approval's.
      (approval.call_id === call_id || (nameless && approval.call_id === approval.begin_id)),
    now: unixNow(services),
    size: 1024 + (begin.input === undefined ? 0 : KEPT_LIMIT),
  };
}

function toFresh(
  services: Services,
  begin: BeginRequest,
  about: { question: Question; attempt: Attempt },
) {
  const { tool, scope, call_id, run_key, begin_id, params, clear, describe, input } = begin;
  const { reason, explanation, input_digest, uncertain } = about.question;
  return toApproval(services, {
    kind: "guard",
    call: about.attempt.call,
    actor: begin.actor.id,
    operator_omni: begin.operator,
    tool,
    scope,
    call_id,
    run_key,
    begin_id,
    input_digest,
    uncertain,
    reason,
    explanation,
    params,
    clear,
    describe,
    input,
  });
}

async function toBegun(
  services: Services,
  begin: BeginRequest,
  done: { plan: Planned; entry: LogEntry | undefined; fresh: NewApproval | undefined },
): Promise<Begun> {
  const { plan, entry, fresh } = done;
  const { judgement, given } = plan;
  const written = { ...given, ticket: begin.begin_id, envelope_hash: entry?.envelope_hash ?? null };
  const unwritten = { ...given, ticket: "", envelope_hash: null };
  if (judgement.expired !== undefined) tell(services, judgement.expired);
  switch (judgement.do) {
    case "run":
      if (judgement.uses !== undefined) services.asked.changed(begin.actor.id, 0);
      return written;
    case "ask":
      if (fresh === undefined) throw new AgentKeysError("internal", "nothing to ask");
      tell(services, fresh);
      return { ...written, approval: await shownTo(services, "actor", fresh) };
    case "wait": {
      const { approval } = judgement;
      const envelope_hash = approval.intent ?? null;
      return { ...unwritten, envelope_hash, approval: await shownTo(services, "actor", approval) };
    }
    case "replay": {
      const { begin_id, outcome, result } = judgement.earlier;
      if (outcome === null || result === undefined)
        throw new AgentKeysError("internal", "no result");
      const address = { owner: begin.actor.id, kind: "result", name: begin_id } as const;
      const text = await services.vault.open(result, address);
      return { ...unwritten, executed: { outcome, result: JSON.parse(text) as unknown } };
    }
    case "refuse":
      return written;
    case "neither":
      return unwritten;
  }
}

function tell(
  services: Services,
  { actor, expires_at }: Pick<ApprovalRow, "actor" | "expires_at">,
) {
  services.asked.changed(actor, expires_at);
}
