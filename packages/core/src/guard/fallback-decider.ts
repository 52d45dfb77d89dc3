import { RESULTS } from "@agentkeys/contract";
import {
  type Begun,
  denialFor,
  isEnvelopeHash,
  isRefusing,
  type Question,
  unheard,
  type Unheard,
} from "./decision.ts";
import type { Limits } from "../transport/deadline.ts";
import type { Denial, JsonObject, Outcome } from "./guard-surface.ts";
import { unavailable } from "../transport/unavailable.ts";
import type { Wire } from "../transport/wire.ts";

const opKind = { intent: 240, outcome: 110 } as const;

interface Verdict {
  readonly verdict: string;
  readonly reason: string;
  readonly explanation: string;
}

/**
 * For servers that have only upstream's tools: `permission.check`, then `audit.append`. Neither is ever repeated. Nobody can be
 * asked there: an ask is a denial, and so is what is uncertain.
 */
export async function beginFallback(
  wire: Wire,
  question: Question,
  limits: Limits,
): Promise<Begun | Unheard | Denial> {
  const { tool, scope } = question;
  const call_id = question.callId ?? crypto.randomUUID();
  const verdict = await check(wire, question, limits);
  const accepted = verdict.verdict === "accept" && refusalOf(question) === undefined;
  const intent = await append(wire, limits, {
    op_kind: opKind.intent,
    op_body: intentBody(question, call_id, verdict),
    result: accepted ? RESULTS.Success : RESULTS.NotPermitted,
  });
  if (!accepted) {
    const { verdict: word, reason, explanation } = verdict;
    return isRefusing(word)
      ? denialFor(word, { reason, explanation, scope })
      : unheard(word, scope);
  }
  return {
    status: "begun",
    approval: undefined,
    async end(outcome) {
      const is_error = isError(outcome);
      await append(wire, wire.limits(), {
        op_kind: opKind.outcome,
        op_body: { tool, call_id, is_error, outcome, intent },
        result: is_error ? RESULTS.Failure : RESULTS.Success,
      }).catch(() => {});
    },
  };
}

async function check(wire: Wire, question: Question, limits: Limits): Promise<Verdict> {
  const { scope, params } = question;
  const refused = refusalOf(question);
  if (refused !== undefined) return { ...refused, verdict: "deny" };
  if (scope === null) return { verdict: "accept", reason: "no_scope_needed", explanation: "" };
  const answer = await wire.call("permission_check", { scope, params }, { limits, repeat: false });
  if (answer.scope === scope) return answer;
  throw unavailable("malformed answer: a verdict on another scope");
}

function refusalOf({ refused, uncertain }: Question): Question["refused"] {
  return refused ?? uncertain;
}

function intentBody(question: Question, call_id: string, verdict: Verdict): JsonObject {
  const { tool, runKey, scope, inputDigest, clear } = question;
  return {
    tool,
    call_id,
    ...(runKey !== undefined && { run_key: runKey }),
    scope,
    verdict: verdict.verdict,
    reason: verdict.reason,
    input_digest: inputDigest,
    ...(clear && { clear }),
  };
}

async function append(wire: Wire, limits: Limits, event: JsonObject): Promise<string> {
  const answer = await wire.call("audit_append", { event }, { limits, repeat: false });
  if (answer.ok && isEnvelopeHash(answer.envelope_hash)) return answer.envelope_hash;
  throw unavailable("malformed answer: not a record");
}

function isError(outcome: Outcome): boolean {
  return outcome === "error" || outcome === "aborted";
}
