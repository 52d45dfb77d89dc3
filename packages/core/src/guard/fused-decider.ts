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
import type { Limits } from "../transport/deadline.ts";
import type { Denial, JsonObject } from "./guard-surface.ts";
import { beginFallback } from "./fallback-decider.ts";
import { keptResult } from "./keep-result.ts";
import { type Answer, readAnswer } from "../transport/read-answer.ts";
import { unavailable } from "../transport/unavailable.ts";
import { withdrawPending } from "../approvals/withdraw.ts";
import { isMissing, type Wire } from "../transport/wire.ts";

/** Deadline of a notice that nobody waits for, in milliseconds. */
const noticeMs = 2000;

/**
 * `guard/begin`: check and intent in one request; upstream's two where the server says that it has no such method, and only then.
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
  const ids = { actor, operator_omni, begin_id, call_id };
  let answer: unknown;
  try {
    answer = await wire.request("guard/begin", toParams(question, ids), { limits });
  } catch (error) {
    if (isMissing(error, limits)) return beginFallback(wire, question, limits);
    if (isAborted(limits.signal)) wire.background(takeBack(wire, question, ids));
    else if (isUnclear(error)) wire.background(notRun(wire, ids));
    throw error;
  }
  const facts = readAnswer(answer, question, call_id);
  if (facts === undefined) {
    wire.background(notRun(wire, ids));
    throw unavailable("malformed answer: not a decision");
  }
  const { verdict, executed } = facts;
  if (executed !== undefined) return { status: "executed", result: executed.result };
  if (verdict === "accept") return begun(wire, facts, { actor, question });
  const { scope, reason, explanation, asked } = facts;
  if (isRefusing(verdict))
    return denialFor(verdict, { scope, reason, explanation, approval: asked });
  wire.background(notRun(wire, ids));
  return unheard(verdict, scope);
}

function notRun(wire: Wire, { actor, begin_id }: Ids): Promise<unknown> {
  const limits = wire.limits({ timeoutMs: noticeMs });
  const params = { actor, begin_id, outcome: "not_run" };
  return wire.request("guard/end", params, { limits, repeat: true });
}

/** Nobody waits for the answer any more. A begin that comes after this is denied; one that came before may have asked a person. */
async function takeBack(wire: Wire, question: Question, ids: Ids): Promise<void> {
  try {
    await notRun(wire, ids);
  } catch (error) {
    const { tool, inputDigest: input_digest, runKey: run_key, asking } = question;
    // An attempt that names its grant is somebody's who withdraws it by that name.
    const mayHaveAsked = asking.mayAsk !== false && asking.grant === undefined;
    if (!mayHaveAsked || input_digest === null || !AgentKeysError.is(error, "conflict")) return;
    await withdrawPending(wire, { tool, call_id: ids.call_id, input_digest, run_key });
  }
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
    end(outcome, settled) {
      const options = { limits: wire.limits(), repeat: true };
      const params: JsonObject = { actor, ticket, outcome };
      // A failure that may be tried again must not be what the next attempt gets.
      const gives = keeps && settled !== undefined && !(idempotent && outcome === "error");
      const kept = gives ? keptResult(settled.result) : undefined;
      if (kept !== undefined) params["result"] = kept;
      return wire.request("guard/end", params, options).then(ignore, ignore);
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
  const input_digest = inputDigest;
  const asked: JsonObject = {
    actor,
    operator_omni,
    begin_id,
    call_id,
    tool,
    scope,
    params,
    input_digest,
  };
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
/** The time's upper digits, which stay the same for about a minute. */
let head = "";
let minute = -1;

/**
 * A UUIDv7 with a counter behind the time: ids that grow with time lie together in the authority's index, and random bits are
 * drawn once for 4,096 of them.
 */
function newBeginId(): string {
  if (counted === 4096) {
    tail = crypto.randomUUID().slice(18);
    counted = 0;
  }
  const now = Date.now();
  const high = Math.floor(now / 0x10000);
  if (high !== minute) {
    minute = high;
    head = high.toString(16).padStart(8, "0");
  }
  // The leading one keeps the zeros.
  const low = (0x1000_0000 + (now % 0x10000) * 0x1000 + counted++).toString(16);
  return `${head}-${low.slice(1, 5)}-7${low.slice(5)}${tail}`;
}

function ignore(): void {}

/** No answer, a broken one, or a run that was aborted meanwhile: the authority may have begun. */
function isUnclear(error: unknown): boolean {
  return (
    !AgentKeysError.is(error) || error.code === "authority_unavailable" || error.code === "internal"
  );
}
