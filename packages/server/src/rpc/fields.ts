import { AgentKeysError, JsonFloat } from "@agentkeys/contract";
import type { WireValue } from "@agentkeys/contract";

/** A JSON object of the wire. A value of another type than the one asked for counts as missing, as upstream reads it. */
export type Fields = { [key: string]: WireValue };

const none: Fields = Object.freeze({});

export function isFields(value: WireValue | undefined): value is Fields {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof JsonFloat)
  );
}

export function fieldsOf(value: WireValue | undefined): Fields {
  return isFields(value) ? value : none;
}

export function optionalText(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  return typeof value === "string" ? value : undefined;
}

/** A field of our own methods that may be absent or null; of another type it is refused. */
export function textOrAbsent(fields: Fields, name: string): string | undefined {
  const value = fields[name] ?? undefined;
  if (value === undefined || typeof value === "string") return value;
  throw new AgentKeysError("invalid_params", `${name} must be a text`);
}

export function flagOr(fields: Fields, name: string, absent: boolean): boolean {
  const value = fields[name] ?? absent;
  if (typeof value === "boolean") return value;
  throw new AgentKeysError("invalid_params", `${name} must be true or false`);
}

/** A text field; `label` is its name in the error where it lies deeper. */
export function requiredText(fields: Fields, name: string, label = name): string {
  return optionalText(fields, name) ?? missing(label);
}

export function missing(label: string, hint = ""): never {
  throw new AgentKeysError("invalid_params", `missing \`${label}\`${hint}`);
}

/** A non-negative integer of 64 bits, written as one: `600.0`, `-1` and `"600"` are none. */
export function unsigned(value: WireValue | undefined): number | bigint | undefined {
  if (typeof value === "number")
    return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
  return typeof value === "bigint" && value >= 0n ? value : undefined;
}

/** Narrowed to one byte without a range error, as upstream does: 366 is 110. */
export function narrowed(value: WireValue | undefined): number | undefined {
  const integer = unsigned(value);
  return integer === undefined ? undefined : Number(BigInt.asUintN(8, BigInt(integer)));
}
