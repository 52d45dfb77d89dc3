import { AgentKeysError } from "@agentkeys/contract";
import { type Begun, denialFor, isAborted, isEnvelopeHash, type Question } from "./decision.ts";
import type { Limits } from "./deadline.ts";
import type { Denial, JsonObject } from "./guard-surface.ts";
import { isRecord } from "./is-record.ts";
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
): Promise<Begun | Denial> {
  const actor = wire.identity.need("actor");
  const operator_omni = wire.identity.need("operator_omni");
  const begin_id = newBeginId();
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
    const params = { actor, operator_omni, begin_id, ...toParams(question, begin_id) };
    answer = await wire.request("guard/begin", params, { limits });
  } catch (error) {
    if (isAborted(limits.signal) || isUnclear(error)) notRun();
    throw error;
  }
  const facts = readAnswer(answer, question);
  if (facts === undefined) {
    notRun();
    throw unavailable("malformed answer: not a decision");
  }
  const { verdict, ticket, ...denied } = facts;
  if (verdict !== "accept") {
    if (verdict !== "deny" && verdict !== "ask_parent") notRun();
    return denialFor(verdict, denied);
  }
  return {
    status: "begun",
    async end(outcome) {
      const options = { limits: wire.limits(), repeat: true };
      await wire.request("guard/end", { actor, ticket, outcome }, options).catch(() => {});
    },
  };
}

function toParams(question: Question, begin_id: string): JsonObject {
  const { callId, runKey, tool, scope, params, inputDigest, clear, refused } = question;
  const call_id = callId ?? begin_id;
  const asked: JsonObject = { call_id, tool, scope, params, input_digest: inputDigest };
  if (runKey !== undefined) asked["run_key"] = runKey;
  if (clear !== undefined) asked["clear"] = clear;
  if (refused !== undefined) {
    asked["refused"] = { reason: refused.reason, explanation: refused.explanation };
  }
  return asked;
}

interface Facts {
  verdict: string;
  scope: string | null;
  reason: string;
  explanation: string;
  ticket: string;
}

/** Whole or nothing: an accept must speak of the scope asked for, and name its ticket and its record. */
function readAnswer(answer: unknown, question: Question): Facts | undefined {
  if (!isRecord(answer)) return undefined;
  const { scope } = question;
  const { verdict, reason, explanation, ticket, envelope_hash } = answer;
  if (typeof verdict !== "string" || typeof reason !== "string") return undefined;
  if (typeof explanation !== "string" || answer["scope"] !== scope) return undefined;
  const facts = { verdict, scope, reason, explanation };
  if (verdict !== "accept") return { ...facts, ticket: "" };
  if (typeof ticket !== "string" || ticket === "" || question.refused !== undefined)
    return undefined;
  if (!isEnvelopeHash(envelope_hash)) return undefined;
  return { ...facts, ticket };
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
