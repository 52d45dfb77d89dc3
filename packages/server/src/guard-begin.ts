import { hash } from "node:crypto";
import {
  AgentKeysError,
  modelPrefix,
  stringifyJson,
  tools,
  type WireValue,
} from "@agentkeys/contract";
import type { Actor } from "./admission.ts";
import { claimedActor, hex32, operatorOf, requireHex32 } from "./admission.ts";
import type { Caller } from "./auth.ts";
import type { Fields } from "./fields.ts";
import { fieldsOf, isFields, missing, optionalText, requiredText } from "./fields.ts";
import { decide } from "./operations/permission.ts";
import { kind, notPermitted, success, toEnvelope } from "./records.ts";
import type { Services } from "./services.ts";

/** What a `begin_id` looks like. */
export const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Operations of ours that need no scope: the only tools that begin without one. */
const scopeless = new Set(
  Object.entries(tools)
    .filter(([, row]) => row.scope === null)
    .flatMap(([key, row]) => [row.id as string, modelPrefix + key]),
);

interface Begin {
  readonly actor: Actor;
  readonly operator: string;
  readonly begin_id: string;
  readonly call_id: string;
  readonly run_key: string | undefined;
  readonly tool: string;
  readonly scope: string | null;
  readonly params: Fields;
  readonly input_digest: string | null;
  readonly clear: Fields | undefined;
  readonly refused: { reason: string; explanation: string } | undefined;
}

interface Answer {
  readonly verdict: string;
  readonly scope: string | null;
  readonly reason: string;
  readonly explanation: string;
}

/** The ticket is the begin's own id: it needs no secret, because only the actor that began may end. */
interface Begun extends Answer {
  readonly ticket: string;
  readonly envelope_hash: string | null;
}

/** Decides and writes the intent in one step; answers only when the intent is durable. */
export async function guardBegin(
  services: Services,
  caller: Caller,
  params: Fields,
): Promise<Begun> {
  const begin = toBegin(services, caller, params);
  const { actor, operator, begin_id, call_id, run_key, tool } = begin;
  const answer = answerTo(services, begin);
  const row = {
    begin_id,
    actor: actor.id,
    operator_omni: operator,
    request_digest: hash("sha256", stringifyJson(params), "base64url"),
    tool,
    call_id,
    run_key,
    verdict: answer.verdict,
    answer: JSON.stringify(answer),
  };
  const written = await services.store.begin(row, intentOf(services, begin, answer));
  switch (written.kind) {
    case "begun":
      return { ...answer, ticket: begin_id, envelope_hash: written.entry.envelope_hash };
    case "repeated":
      return {
        ...(JSON.parse(written.row.answer) as Answer),
        ticket: begin_id,
        envelope_hash: written.envelope_hash,
      };
    case "conflict":
      throw new AgentKeysError("conflict", `begin_id ${begin_id} was used for another call`);
    case "ended_before":
      return endedBefore(begin);
  }
}

/** The client gave this attempt up before it arrived: nothing is written, and nothing may run. */
function endedBefore({ scope, begin_id }: Begin): Begun {
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

function answerTo(services: Services, { actor, tool, scope, params, refused }: Begin): Answer {
  if (refused !== undefined) {
    services.metrics.decided("deny");
    return { verdict: "deny", scope, ...refused };
  }
  if (scope !== null) return decide(services, actor, { scope, params });
  if (services.revoked.has(actor.id))
    return { ...decide(services, actor, { scope: "", params }), scope };
  services.metrics.decided("accept");
  return {
    verdict: "accept",
    scope,
    reason: "no_scope_needed",
    explanation: `${tool} needs no scope`,
  };
}

function intentOf(services: Services, begin: Begin, { verdict, reason }: Answer) {
  const { tool, call_id, run_key, scope, input_digest, clear } = begin;
  const op_body: Fields = { tool, call_id, scope, verdict, reason, input_digest };
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

function toBegin(services: Services, caller: Caller, params: Fields): Begin {
  const omni =
    optionalText(params, "actor") ?? services.settings.defaults.actor ?? missing("actor");
  const begin_id = requiredText(params, "begin_id");
  if (!uuid.test(begin_id)) invalid("begin_id must be a UUID");
  const call_id = requiredText(params, "call_id");
  const tool = requiredText(params, "tool");
  const refused = refusalOf(params["refused"]);
  const scope = scopeOf(params["scope"], tool, refused !== undefined);
  const input_digest = digestOf(params["input_digest"], refused !== undefined);
  const clear = params["clear"] ?? undefined;
  if (clear !== undefined && !isFields(clear)) invalid("clear must be an object");
  const facts = params["params"] ?? {};
  if (!isFields(facts)) invalid("params must be an object");
  const given = optionalText(params, "operator_omni");
  requireHex32("actor", omni);
  const actor = claimedActor(services, caller, omni);
  const operator = operatorOf(services, actor, given);
  requireHex32("operator_omni", operator);
  const run_key = optionalText(params, "run_key");
  const id = begin_id.toLowerCase();
  return {
    actor,
    operator,
    begin_id: id,
    call_id,
    run_key,
    tool,
    scope,
    params: facts,
    input_digest,
    clear,
    refused,
  };
}

function refusalOf(value: WireValue | undefined): Begin["refused"] {
  if (value === undefined || value === null) return undefined;
  const fields = fieldsOf(value);
  return {
    reason: requiredText(fields, "reason", "refused.reason"),
    explanation: requiredText(fields, "explanation", "refused.explanation"),
  };
}

function scopeOf(value: WireValue | undefined, tool: string, refused: boolean): string | null {
  if (typeof value === "string") return value;
  const absent = value === undefined || value === null;
  return absent && (refused || scopeless.has(tool)) ? null : missing("scope");
}

function digestOf(value: WireValue | undefined, refused: boolean): string | null {
  if ((value === undefined || value === null) && refused) return null;
  if (typeof value !== "string") return missing("input_digest");
  return hex32.test(value) ? value : invalid("input_digest must be 0x and 64 hex digits");
}

function invalid(message: string): never {
  throw new AgentKeysError("invalid_params", message);
}
