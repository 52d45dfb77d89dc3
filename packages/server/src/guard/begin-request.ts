import { AgentKeysError, modelPrefix, tools, type WireValue } from "@agentkeys/contract";
import type { Actor } from "../access/admission.ts";
import { claimedActor, hex32, operatorOf, requireHex32 } from "../access/admission.ts";
import { TEXT_LIMIT } from "../approvals/approval-text.ts";
import type { Caller } from "../access/auth.ts";
import type { Fields } from "../rpc/fields.ts";
import { fieldsOf, flagOr, isFields, missing, requiredText, textOrAbsent } from "../rpc/fields.ts";
import type { Services } from "../services.ts";

/** What a `begin_id` looks like. */
export const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Characters of a name or a key: they are hashed, indexed and shown. */
const NAME_LIMIT = 4096;

/** Operations of ours that need no scope: the only tools that begin without one. */
const scopeless = new Set(
  Object.entries(tools)
    .filter(([, row]) => row.scope === null)
    .flatMap(([key, row]) => [row.id as string, modelPrefix + key]),
);

interface Told {
  readonly reason: string;
  readonly explanation: string;
}

/** A `guard/begin`, checked. */
export interface BeginRequest {
  readonly actor: Actor;
  readonly operator: string;
  readonly begin_id: string;
  /** The `begin_id` where the client has none. */
  readonly call_id: string;
  readonly run_key: string | undefined;
  readonly tool: string;
  readonly scope: string | null;
  readonly params: Fields;
  readonly input_digest: string | null;
  readonly clear: Fields | undefined;
  /** The client refuses; only the record is asked for. */
  readonly refused: Told | undefined;
  /** The client does not know, and wants a person asked. */
  readonly uncertain: Told | undefined;
  readonly may_ask: boolean;
  /** An approval's id: narrows the search, proves nothing. */
  readonly grant: string | undefined;
  /** What a person should read. */
  readonly describe: string | undefined;
  readonly input: WireValue | undefined;
  readonly idempotent: boolean;
}

/** Throws `invalid_params`, `actor_mismatch` or `forbidden`. */
export function toBeginRequest(services: Services, caller: Caller, params: Fields): BeginRequest {
  const omni =
    textOrAbsent(params, "actor") ?? services.settings.defaults.actor ?? missing("actor");
  const begin_id = requiredText(params, "begin_id");
  if (!uuid.test(begin_id)) invalid("begin_id must be a UUID");
  const call_id = short("call_id", requiredText(params, "call_id"));
  const tool = short("tool", requiredText(params, "tool"));
  if (tool === "") invalid("tool must not be empty");
  const refused = toldOf(params, "refused");
  const uncertain = toldOf(params, "uncertain");
  const scope = scopeOf(params["scope"], tool, refused !== undefined || uncertain !== undefined);
  const input_digest = digestOf(params["input_digest"], refused !== undefined);
  const clear = params["clear"] ?? undefined;
  if (clear !== undefined && !isFields(clear)) invalid("clear must be an object");
  const facts = params["params"] ?? {};
  if (!isFields(facts)) invalid("params must be an object");
  const given = textOrAbsent(params, "operator_omni");
  requireHex32("actor", omni);
  const actor = claimedActor(services, caller, omni);
  const operator = operatorOf(services, actor, given);
  requireHex32("operator_omni", operator);
  const run_key = short("run_key", textOrAbsent(params, "run_key"));
  const id = begin_id.toLowerCase();
  return {
    actor,
    operator,
    begin_id: id,
    call_id: call_id === begin_id ? id : call_id,
    run_key,
    tool,
    scope,
    params: facts,
    input_digest,
    clear,
    refused,
    uncertain,
    ...approvalFields(params),
  };
}

function approvalFields(params: Fields) {
  const describe = textOrAbsent(params, "describe");
  if (describe !== undefined && describe.length > TEXT_LIMIT)
    invalid(`describe has more than ${TEXT_LIMIT} characters`);
  return {
    may_ask: flagOr(params, "may_ask", true),
    grant: textOrAbsent(params, "grant"),
    describe,
    input: params["input"],
    idempotent: flagOr(params, "idempotent", false),
  };
}

function short<T extends string | undefined>(name: string, text: T): T {
  return text === undefined || text.length <= NAME_LIMIT
    ? text
    : invalid(`${name} has more than ${NAME_LIMIT} characters`);
}

function toldOf(params: Fields, name: "refused" | "uncertain"): Told | undefined {
  const value = params[name];
  if (value === undefined || value === null) return undefined;
  const fields = fieldsOf(value);
  const told = (field: string) => {
    const text = requiredText(fields, field, `${name}.${field}`);
    // What is asked is shown; what is refused is only written down.
    return name === "uncertain" ? short(`${name}.${field}`, text) : text;
  };
  return { reason: told("reason"), explanation: told("explanation") };
}

function scopeOf(value: WireValue | undefined, tool: string, mayBeAbsent: boolean): string | null {
  if (typeof value === "string") return short("scope", value);
  const absent = value === undefined || value === null;
  return absent && (mayBeAbsent || scopeless.has(tool)) ? null : missing("scope");
}

function digestOf(value: WireValue | undefined, refused: boolean): string | null {
  if ((value === undefined || value === null) && refused) return null;
  if (typeof value !== "string") return missing("input_digest");
  return hex32.test(value) ? value : invalid("input_digest must be 0x and 64 hex digits");
}

function invalid(message: string): never {
  throw new AgentKeysError("invalid_params", message);
}
