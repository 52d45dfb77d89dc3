import {
  compareUtf8,
  fits64Bits,
  isPlainObject,
  isWellFormed,
  JsonFloat,
  MAX_DEPTH,
  U64_MAX,
  type WireObject,
  type WireValue,
} from "./wire-value.ts";

export { JsonFloat, toJsonValue } from "./wire-value.ts";
export type { JsonObject, JsonValue, WireObject, WireValue } from "./wire-value.ts";

// A literal that JSON.parse alone would blur: fraction, exponent, 16 or more digits, minus zero.
// It may stand inside a string, which only costs time; behind a blank it must not be missed.
const needsSource = /[:[,]\s*(?:-0|-?\d+[.eE]|-?\d{16})/;
const topLevelNumber = /^\s*-?\d/;
const surrogateEscape = /\\u[dD][89a-fA-F]/;

type Reviver = (key: string, value: unknown, context?: { source?: string }) => unknown;
const parseWithSource = JSON.parse as (text: string, reviver?: Reviver) => WireValue;

/**
 * Parses one JSON text as upstream does: the last of duplicate keys wins, integers outside u64 and
 * i64 become floats, a number that overflows and a lone surrogate are errors. A `__proto__` key
 * stays an own property and never sets a prototype. Throws a SyntaxError whose message never quotes
 * the text.
 */
export function parseJson(text: string): WireValue {
  const exact = needsSource.test(text) || topLevelNumber.test(text);
  const value = exact ? parseNumbers(text) : parsePlain(text);
  const strings = (text.includes("\\u") && surrogateEscape.test(text)) || !isWellFormed(text);
  if (strings || mayBeDeep(text)) checkValue(value, 0, strings);
  return value;
}

/** Whether the text has brackets enough to nest too deeply. */
function mayBeDeep(text: string): boolean {
  let opened = 0;
  for (const bracket of ["{", "["]) {
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) {
      if (++opened > MAX_DEPTH) return true;
    }
  }
  return false;
}

function parsePlain(text: string): WireValue {
  try {
    return parseWithSource(text);
  } catch {
    throw new SyntaxError("invalid JSON");
  }
}

function parseNumbers(text: string): WireValue {
  let problem: string | undefined;
  let value: WireValue;
  try {
    value = parseWithSource(text, (_key, item, context) => {
      if (typeof item !== "number") return item;
      if (context?.source === undefined)
        problem = "numbers need a JSON.parse with source text access";
      else if (!Number.isFinite(item)) problem = "number out of range";
      else return fromLiteral(item, context.source);
      return item;
    });
  } catch {
    throw new SyntaxError("invalid JSON");
  }
  if (problem !== undefined) throw new SyntaxError(problem);
  return value;
}

function fromLiteral(value: number, source: string): number | bigint | JsonFloat {
  if (!Number.isInteger(value)) return value;
  if (source === "-0" || /[.eE]/.test(source)) return new JsonFloat(value);
  if (Number.isSafeInteger(value)) return value;
  // 20 characters hold every 64-bit integer; a longer literal would make BigInt slow for nothing.
  const integer = source.length > 20 ? U64_MAX + 1n : BigInt(source);
  return fits64Bits(integer) ? integer : new JsonFloat(value);
}

function checkValue(value: WireValue, depth: number, strings: boolean): void {
  if (typeof value === "string") {
    if (strings && !isWellFormed(value)) throw new SyntaxError("lone surrogate in a string");
  } else if (typeof value === "object" && value !== null && !(value instanceof JsonFloat)) {
    if (depth === MAX_DEPTH) throw new SyntaxError("nested too deeply");
    if (Array.isArray(value)) {
      for (const item of value) checkValue(item, depth + 1, strings);
    } else {
      for (const key of Object.keys(value)) {
        checkValue(key, depth, strings);
        checkValue(value[key] as WireValue, depth + 1, strings);
      }
    }
  }
}

/**
 * Compact JSON in the order of the keys. bigint and JsonFloat keep their kind, fields that are
 * `undefined` are left out; throws a TypeError on what JSON cannot say (NaN, a Date, …).
 */
export function stringifyJson(value: WireValue): string {
  return isPlainJson(value) ? JSON.stringify(value) : write(value, false);
}

/**
 * As `stringifyJson`, with the keys of every object sorted by their UTF-8 bytes: upstream's
 * `content` text.
 */
export function stringifySorted(value: WireValue): string {
  return write(value, true);
}

/** Whether `JSON.stringify`, which is faster, prints the same. */
function isPlainJson(value: WireValue): boolean {
  if (typeof value === "number") return Number.isSafeInteger(value) && !Object.is(value, -0);
  if (typeof value !== "object") return typeof value === "string" || typeof value === "boolean";
  if (value === null) return true;
  if (Array.isArray(value)) return Array.from(value).every(isPlainJson);
  if (value instanceof JsonFloat || !isPlainObject(value)) return false;
  for (const key of Object.keys(value)) {
    const item = value[key];
    if (item !== undefined && !isPlainJson(item)) return false;
  }
  return true;
}

function write(value: WireValue, sorted: boolean): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "number":
      return isInteger(value) ? `${value}` : floatText(value);
    case "boolean":
    case "bigint":
      return `${value}`;
    case "object":
      if (value === null) return "null";
      if (value instanceof JsonFloat) return floatText(value.value);
      return Array.isArray(value) ? writeArray(value, sorted) : writeObject(value, sorted);
    case "undefined":
    case "function":
    case "symbol":
      break;
  }
  throw new TypeError(`not a JSON value: ${typeof value}`);
}

/** Whether the number is printed as an integer: 1e21 and -0 are not. */
function isInteger(value: number): boolean {
  return Number.isInteger(value) && Math.abs(value) < 1e21 && !Object.is(value, -0);
}

function writeArray(items: readonly WireValue[], sorted: boolean): string {
  let out = "[";
  for (let i = 0; i < items.length; i++)
    out += (i === 0 ? "" : ",") + write(items[i] as WireValue, sorted);
  return `${out}]`;
}

function writeObject(object: WireObject, sorted: boolean): string {
  if (!isPlainObject(object)) throw new TypeError("not a plain object");
  const keys = sorted ? Object.keys(object).toSorted(compareUtf8) : Object.keys(object);
  let out = "";
  for (const key of keys) {
    const item = object[key];
    if (item !== undefined)
      out += `${out === "" ? "" : ","}${JSON.stringify(key)}:${write(item, sorted)}`;
  }
  return `{${out}}`;
}

/**
 * The shortest digits that read back as `value`, always with a point or an exponent, in the form
 * that upstream prints floats.
 */
function floatText(value: number): string {
  if (!Number.isFinite(value)) throw new TypeError(`not a JSON number: ${value}`);
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  const [mantissa = "", exponent] = Math.abs(value).toExponential().split("e");
  const digits = mantissa.replace(".", "");
  const point = Number(exponent) + 1;
  if (point > 16 || point < -4) return `${sign}${mantissa}e${point - 1}`;
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  return `${sign}${digits.slice(0, point).padEnd(point, "0")}.${digits.slice(point) || "0"}`;
}
