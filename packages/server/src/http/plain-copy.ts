import { AgentKeysError, parseJson, type WireValue } from "@agentkeys/contract";
import type { Fields } from "../rpc/fields.ts";
import { BODY_LIMIT } from "./http.ts";

/** As deep as a JSON text may nest. */
const maxDepth = 127;
const loneSurrogate = /\p{Surrogate}/u;

/**
 * What parsing its JSON text would give of a value from this process. Throws `invalid_request` for what JSON cannot say or a
 * body may not hold, and `payload_too_large` for what is longer than a body may be.
 */
export function plainCopy(value: unknown): WireValue {
  return copy(value, { depth: 0, size: 0 });
}

interface Walk {
  depth: number;
  /** Bytes that its text takes at least. */
  size: number;
}

function copy(value: unknown, walk: Walk): WireValue {
  if (typeof value === "string") {
    checkText(value, walk);
    return value;
  }
  count(walk, 1);
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "number" && Number.isFinite(value)) return copyNumber(value);
  if (typeof value !== "object") throw refused("not JSON");
  if (++walk.depth > maxDepth) throw refused("nested too deeply");
  const copied = Array.isArray(value)
    ? value.map((item) => copy(item, walk))
    : copyFields(value, walk);
  walk.depth -= 1;
  return copied;
}

/** Minus zero has no sign in a JSON text, and an integer beyond 2^53 is told from a float there. */
function copyNumber(value: number): WireValue {
  const exact = !Number.isInteger(value) || Number.isSafeInteger(value);
  return exact ? value + 0 : parseJson(String(value));
}

function copyFields(value: object, walk: Walk): WireValue {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw refused("not JSON");
  const copied: Fields = {};
  for (const key of Object.keys(value)) {
    const field = (value as Record<string, unknown>)[key];
    if (field === undefined) continue;
    const item = copy(field, walk);
    checkText(key, walk);
    if (key === "__proto__") setOwn(copied, key, item);
    else copied[key] = item;
  }
  return copied;
}

/** An own field of whatever name, as parsing makes it. */
function setOwn(fields: Fields, key: string, value: WireValue): void {
  Object.defineProperty(fields, key, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}

function checkText(text: string, walk: Walk): void {
  count(walk, text.length);
  if (loneSurrogate.test(text)) throw refused("lone surrogate in a string");
}

function count(walk: Walk, size: number): void {
  walk.size += size;
  if (walk.size <= BODY_LIMIT) return;
  throw new AgentKeysError("payload_too_large", `longer than ${BODY_LIMIT} bytes`);
}

function refused(problem: string): AgentKeysError {
  return new AgentKeysError("invalid_request", problem);
}
