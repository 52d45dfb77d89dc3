import { AgentKeysError, type ToolKey, type ToolRow, tools } from "@agentkeys/contract";
import type { JsonObject } from "../guard/guard-surface.ts";
import type { Identity, IdentityField } from "./identity.ts";
import { isRecord } from "../json/is-record.ts";

/** A dotted path of a row whose last part names a field of the identity. */
interface Filler {
  readonly path: readonly string[];
  readonly field: IdentityField;
  readonly required: boolean;
  /** Whether the object that holds it is made where the caller gave none; else its absence is the server's to refuse. */
  readonly makesHolder: boolean;
}

const identityFields = new Set(["actor", "operator_omni", "device_key_hash"]);
const fillers = new Map<ToolKey, readonly Filler[]>();

/** The input with the identity wherever the row wants it. What the caller gave wins. */
export function fillAmbient(key: ToolKey, input: JsonObject, identity: Identity): JsonObject {
  let plan = fillers.get(key);
  if (plan === undefined) fillers.set(key, (plan = fillersOf(tools[key])));
  let filled: JsonObject = { ...input };
  for (const { path, field, required, makesHolder } of plan) {
    const [head = ""] = path;
    if (path.length > 1 && !makesHolder && filled[head] === undefined) continue;
    filled = fill(filled, path, () => (required ? identity.need(field) : identity.have(field)));
  }
  return filled;
}

/** What a model gave, without the fields that are never its to give. */
export function dropAmbient(row: ToolRow, input: unknown): JsonObject {
  if (!isRecord(input)) {
    throw new AgentKeysError("invalid_params", `${row.id}: the input must be an object`);
  }
  let kept: JsonObject = { ...input };
  for (const path of row.ambient) kept = without(kept, path.split("."));
  return kept;
}

function fillersOf(row: ToolRow): Filler[] {
  return row.ambient.flatMap((dotted) => {
    const path = dotted.split(".");
    const field = path.at(-1) ?? "";
    if (!identityFields.has(field)) return [];
    const optional = row.input.shape[path[0] ?? ""]?.safeParse(undefined).success === true;
    const required = path.length > 1 || !optional;
    return [{ path, field: field as IdentityField, required, makesHolder: optional }];
  });
}

function fill(
  object: JsonObject,
  [head = "", ...rest]: readonly string[],
  value: () => string | undefined,
): JsonObject {
  const current = object[head];
  if (rest.length > 0) {
    // Something else than an object is the server's to refuse, in its own words.
    if (current !== undefined && !isRecord(current)) return object;
    return { ...object, [head]: fill({ ...current }, rest, value) };
  }
  if (current !== undefined) return object;
  const found = value();
  return found === undefined ? object : { ...object, [head]: found };
}

function without(object: JsonObject, [head = "", ...rest]: readonly string[]): JsonObject {
  if (!Object.hasOwn(object, head)) return object;
  const { [head]: inner, ...others } = object;
  if (rest.length === 0) return others;
  return isRecord(inner) ? { ...object, [head]: without(inner, rest) } : object;
}
