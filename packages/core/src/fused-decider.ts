import { AgentKeysError } from "@agentkeys/contract";
import {
  type Begun,
  denialFor,
  type Executed,
  isAborted,
  isRefusing,
  type Question,
  unheard,
  type Unheard,
} from "./decision.ts";
import type { Limits } from "./deadline.ts";
import type { Denial, JsonObject } from "./guard-surface.ts";
import { keptResult } from "./keep-result.ts";
import { type Answer, readAnswer } from "./read-answer.ts";
import { unavailable } from "./unavailable.ts";
import type { Wire } from "./wire.ts";

/** Deadline of a notice that nobody waits for, in milliseconds. */
const noticeMs = 2000;

/**
 * `guard/begin`: check and intent in one request. Rejects with `method_not_found` where the server has no such method.
 * When it is unclear whether the authority began, it is told in the background that nothing ran.
 */
export async function beginFused(
  wire: Wire,
  question: Question,
  limits: Limits,
): Promise<Begun | Executed | Unheard | Denial> {
  const actor = wire.identity.need("actor");
  const operator_omni = wire.identity.need("operator_omni");
  const begin_id = newBeginId();
  const call_id = question.callId ?? begin_id;
  const notRun = (): void => {
    const params = { actor, begin_id, outcome: "not_run" };
    wire.background(
      wire.request("guard/end", params, {
        limits: wire.limits({ timeoutMs: noticeMs }),
        repeat: true,
      }),
    );
  };
  let answer: unknown;
  try {
    const params = toParams(question, { actor, operator_omni, begin_id, call_id });
    answer = await wire.request("guard/begin", params, { limits });
  } catch (error) {
    if (isAborted(limits.signal) || isUnclear(error)) notRun();
    throw error;
  }
  const facts = readAnswer(answer, question, call_id);
  if (facts === undefined) {
    notRun();
    throw unavailable("malformed answer: not a decision");
  }
  const { verdict, executed } = facts;
  if (executed !== undefined) return { status: "executed", result: executed.result };
  if (verdict === "accept") return begun(wire, facts, { actor, question });
  const { scope, reason, explanation, asked } = facts;
  if (isRefusing(verdict))
    return denialFor(verdict, { scope, reason, explanation, approval: asked });
  notRun();
  return unheard(verdict, scope);
}

function begun(
  wire: Wire,
  { ticket, granted }: Answer,
  { actor, question: { runKey, idempotent } }: { actor: string; question: Question },
): Begun {
  const keeps = runKey !== undefined || granted !== undefined;
  return {
    status: "begun",
    approval: granted,
    async end(outcome, settled) {
      const options = { limits: wire.limits(), repeat: true };
      const params: JsonObject = { actor, ticket, outcome };
      // A failure that may be tried again must not be what the next attempt gets.
      const gives = keeps && settled !== undefined && !(idempotent && outcome === "error");
      const kept = gives ? keptResult(settled.result) : undefined;
      if (kept !== undefined) params["result"] = kept;
      await wire.request("guard/end", params, options).catch(() => {});
    },
  };
}

interface Ids {
  readonly actor: string;
  readonly operator_omni: string;
  readonly begin_id: string;
  readonly call_id: string;
}

function toParams(question: Question, ids: Ids): JsonObject {
  const { actor, operator_omni, begin_id, call_id } = ids;
  const { runKey, tool, scope, params, inputDigest, clear, refused, uncertain } = question;
  const { text, input, idempotent, asking } = question;
  const what = { actor, operator_omni, begin_id, call_id, tool, scope, params };
  const asked: JsonObject = { ...what, input_digest: inputDigest };
  if (runKey !== undefined) asked["run_key"] = runKey;
  if (clear !== undefined) asked["clear"] = clear;
  if (text !== undefined) asked["describe"] = text;
  if (input !== undefined) asked["input"] = input;
  if (idempotent) asked["idempotent"] = true;
  if (asking.mayAsk === false) asked["may_ask"] = false;
  if (asking.grant !== undefined) asked["grant"] = asking.grant;
  if (refused !== undefined) {
    asked["refused"] = { reason: refused.reason, explanation: refused.explanation };
  }
  if (uncertain !== undefined) {
    asked["uncertain"] = { reason: uncertain.reason, explanation: uncertain.explanation };
  }
  return asked;
}

/** Random bits of the ids to come, and how many ids have them. */
let tail = "";
let counted = 4096;

/**
 * A UUIDv7 with a counter behind the time: ids that grow with time lie together in the authority's index, and random bits are
 * drawn once for 4,096 of them.
 */
function newBeginId(): string {
  if (counted === 4096) {
    tail = crypto.randomUUID().slice(18);
    counted = 0;
  }
  const time = Date.now().toString(16).padStart(12, "0");
  const count = (counted++).toString(16).padStart(3, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${count}${tail}`;
}

/** No answer, a broken one, or a run that was aborted meanwhile: the authority may have begun. */
function isUnclear(error: unknown): boolean {
  return (
    !AgentKeysError.is(error) || error.code === "authority_unavailable" || error.code === "internal"
  );
}
