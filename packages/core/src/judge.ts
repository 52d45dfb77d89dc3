import { hmacDigest, inputDigest, type JsonValue } from "@agentkeys/contract";
import { classifyCall, type Rows } from "./classify-call.ts";
import {
  abortedDenial,
  type Begun,
  denialOf,
  isAborted,
  type Question,
  toDenial,
} from "./decision.ts";
import type { Limits } from "./deadline.ts";
import { beginFallback } from "./fallback-decider.ts";
import { beginFused } from "./fused-decider.ts";
import type { Denial, JsonObject } from "./guard-surface.ts";
import { isRecord } from "./is-record.ts";
import { type Sealed, uncopyable } from "./seal-call.ts";
import { isMissing, type Wire } from "./wire.ts";

/** The verdict on one call and its record. Never rejects; only what has `begun` may run. */
export type Judge = (sealed: Sealed) => Promise<Begun | Denial>;

/** The guard's rows, and the key of its digests where it has one. */
export interface Rules extends Rows {
  readonly digestKey: Uint8Array | undefined;
}

export function createJudge(rows: Rules, wire: Wire): Judge {
  return async (sealed) => {
    const { signal } = sealed;
    const question = toQuestion(rows, sealed);
    const { refused, scope } = question;
    if (isAborted(signal)) return abortedDenial(scope);
    let verdict: Begun | Denial;
    try {
      verdict = await decide(wire, question, wire.limits({ signal }));
    } catch (error) {
      verdict = denialOf(error, question, signal);
    }
    if (refused !== undefined) return toDenial({ ...refused, scope });
    if (verdict.status !== "begun" || !isAborted(signal)) return verdict;
    wire.background(verdict.end("not_run"));
    return abortedDenial(scope);
  };
}

/** One request where the server can; upstream's two where it says that it has no such method, and only then. */
async function decide(wire: Wire, question: Question, limits: Limits): Promise<Begun | Denial> {
  if (wire.fused !== false) {
    try {
      return await beginFused(wire, question, limits);
    } catch (error) {
      if (!isMissing(error, limits)) throw error;
    }
  }
  return beginFallback(wire, question, limits);
}

function toQuestion(rows: Rules, sealed: Sealed): Question {
  const { tool, callId, runKey, input } = sealed;
  let { refused } = sealed;
  let digest: string | null = null;
  try {
    if (input !== undefined) digest = digestOf(input.json as JsonValue, rows.digestKey);
  } catch (error) {
    refused ??= uncopyable(error);
  }
  const facts = { tool, callId, runKey, inputDigest: digest };
  if (refused !== undefined || input === undefined) {
    const scope = (Object.hasOwn(rows.tools, tool) ? rows.tools[tool]?.scope : undefined) ?? null;
    return { ...facts, scope, params: {}, clear: undefined, refused };
  }
  const { record, ...classified } = classifyCall(rows, tool, input.value);
  return { ...facts, ...classified, clear: pick(input.json, record) };
}

function digestOf(json: JsonValue, key: Uint8Array | undefined): string {
  return key === undefined ? inputDigest(json) : hmacDigest(key, json);
}

function pick(json: unknown, fields: readonly string[]): JsonObject | undefined {
  if (!isRecord(json)) return undefined;
  const present = fields.filter((field) => Object.hasOwn(json, field));
  if (present.length === 0) return undefined;
  return Object.fromEntries(present.map((field) => [field, json[field]]));
}
