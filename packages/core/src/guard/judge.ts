import { hmacDigest, inputDigest, type JsonValue, type Secrets } from "@agentkeys/contract";
import { classifyCall } from "./classify-call.ts";
import {
  abortedDenial,
  type Asking,
  type Begun,
  denialOf,
  type Executed,
  isAborted,
  type Question,
  type Refusal,
  toDenial,
  type Unheard,
  type Verdict,
} from "./decision.ts";
import type { Limits } from "../transport/deadline.ts";
import { beginFallback } from "./fallback-decider.ts";
import { beginFused } from "./fused-decider.ts";
import type { Denial, JsonObject } from "./guard-surface.ts";
import { isRecord } from "../json/is-record.ts";
import { setOwn } from "../json/set-own.ts";
import type { Rules } from "./rules.ts";
import { type Sealed, uncopyable } from "./seal-call.ts";
import type { Wire } from "../transport/wire.ts";

/** The verdict on one call and its record. Never rejects; only what has `begun` may run. */
export type Judge = (sealed: Sealed, asking?: Asking) => Promise<Verdict>;

const plainly: Asking = {};

export function createJudge(rules: Rules, wire: Wire): Judge {
  const { secrets } = wire;
  return async (sealed, asking = plainly) => {
    const { signal } = sealed;
    const question = scrubbed(toQuestion(rules, sealed, asking), secrets);
    const { refused, scope } = question;
    if (isAborted(signal)) return abortedDenial(scope);
    let verdict: Begun | Executed | Unheard | Denial;
    try {
      const limits = wire.limits({ signal });
      verdict = await begin(wire, question, limits);
      if (verdict.status === "unheard" && rules.onUncertain === "ask" && wire.fused === true) {
        const { code, reason, explanation } = verdict.denial;
        const uncertain = { code, reason, explanation };
        verdict = await begin(wire, { ...question, uncertain }, limits);
      }
    } catch (error) {
      verdict = denialOf(error, question, signal);
    }
    if (refused !== undefined) return toDenial({ ...refused, scope });
    if (verdict.status === "unheard") return secrets.scrub(verdict.denial);
    if (verdict.status !== "begun") return secrets.scrub(verdict);
    if (!isAborted(signal)) return verdict;
    wire.background(verdict.end("not_run"));
    return abortedDenial(scope);
  };
}

/** One request where the server can. */
function begin(
  wire: Wire,
  question: Question,
  limits: Limits,
): Promise<Begun | Executed | Unheard | Denial> {
  return wire.fused === false
    ? beginFallback(wire, question, limits)
    : beginFused(wire, question, limits);
}

function toQuestion(rules: Rules, sealed: Sealed, asking: Asking): Question {
  const { tool, callId, runKey, input } = sealed;
  let { refused } = sealed;
  let digest: string | null = null;
  try {
    if (input !== undefined) digest = digestOf(input.json, rules.digestKey);
  } catch (error) {
    refused ??= uncopyable(error);
  }
  if (refused !== undefined || input === undefined) {
    const scope = (Object.hasOwn(rules.tools, tool) ? rules.tools[tool]?.scope : undefined) ?? null;
    return { ...nothing, tool, callId, runKey, inputDigest: digest, asking, scope, refused };
  }
  const classified = classifyCall(rules, tool, input.value);
  const unsure = rules.onUncertain === "ask" && isUnmapped(classified.refused);
  return {
    tool: classified.tool,
    callId,
    runKey,
    scope: classified.scope,
    params: classified.params,
    inputDigest: digest,
    clear: pick(input.json, classified.record),
    refused: unsure ? undefined : classified.refused,
    uncertain: unsure ? classified.refused : undefined,
    text: classified.text,
    input: rules.showInput ? input.json : undefined,
    idempotent: classified.idempotent,
    asking,
  };
}

/** What is written down or shown; what runs, and its digest, stay as they are. */
function scrubbed(question: Question, secrets: Secrets): Question {
  if (secrets.size === 0) return question;
  const { params, clear, text, input, refused, uncertain } = question;
  return { ...question, ...secrets.scrub({ params, clear, text, input, refused, uncertain }) };
}

const nothing = {
  params: {},
  clear: undefined,
  text: undefined,
  input: undefined,
  uncertain: undefined,
  idempotent: false,
};

function isUnmapped(refused: Refusal | undefined): boolean {
  return refused?.reason === "unmapped_tool";
}

/** Throws `input_not_copyable` for what has no digest. */
export function digestOf(json: unknown, key: Uint8Array | undefined): string {
  return key === undefined ? inputDigest(json as JsonValue) : hmacDigest(key, json as JsonValue);
}

function pick(json: unknown, fields: readonly string[]): JsonObject | undefined {
  if (!isRecord(json)) return undefined;
  let picked: JsonObject | undefined;
  for (const field of fields) {
    if (Object.hasOwn(json, field)) setOwn((picked ??= {}), field, json[field]);
  }
  return picked;
}
