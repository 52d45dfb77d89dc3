/** What `JSON.parse` can return. */
export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;
export interface JsonObject {
  [key: string]: JsonValue;
}

/**
 * JSON whose numbers keep what the wire tells apart: `1`, `1.0` and `9007199254740993` hash
 * differently in an audit envelope. An integer beyond 2^53 is a bigint, an integral value written
 * as a float is a JsonFloat, everything else is as in plain JSON.
 */
export type WireValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | JsonFloat
  | WireValue[]
  | WireObject;
export interface WireObject {
  [key: string]: WireValue;
}

/**
 * A number written with a fraction or an exponent (or beyond 64 bits) whose value happens to be
 * integral: `600.0`, `1e2`, `-0`.
 */
export class JsonFloat {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }

  /** `JSON.stringify` prints the bare number. */
  toJSON(): number {
    return this.value;
  }
}

/**
 * Levels of arrays and objects that a text may nest; one more is refused, as upstream's parser
 * does.
 */
export const MAX_DEPTH = 127;

export const U64_MAX = 2n ** 64n - 1n;
const I64_MIN = -(2n ** 63n);

export function fits64Bits(value: bigint): boolean {
  return value >= I64_MIN && value <= U64_MAX;
}

/** Whether the text is free of lone surrogates, which have no UTF-8 form. */
export function isWellFormed(text: string): boolean {
  // In every engine of the floor, but only in the library types of ES2024.
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}

/**
 * Neither an array nor a class instance (Map, Date, …). Objects of another realm count as plain.
 */
export function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return true;
  return !Array.isArray(value) && Object.getPrototypeOf(prototype) === null;
}

/**
 * Order of the UTF-8 bytes of two texts, which for characters beyond U+FFFF is not the order of
 * JavaScript's `<`.
 */
export function compareUtf8(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  for (let i = 0; i < end; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    // Surrogates (characters beyond U+FFFF) come after U+E000 to U+FFFF.
    if (x !== y) return x >= 0xd800 && y >= 0xd800 ? rank(x) - rank(y) : x - y;
  }
  return a.length - b.length;
}

function rank(unit: number): number {
  return unit < 0xe000 ? unit + 0x2800 : unit;
}

/**
 * Plain JSON of a wire value. Lossy on purpose: a bigint is rounded to the nearest double and
 * `600.0` becomes `600`.
 */
export function toJsonValue(value: WireValue): JsonValue {
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof JsonFloat) return value.value;
  if (Array.isArray(value)) return value.map(toJsonValue);
  const copy: JsonObject = {};
  for (const key of Object.keys(value)) {
    const item = value[key];
    if (item !== undefined) setOwn(copy, key, toJsonValue(item));
  }
  return copy;
}

/** Assigns an own property even where the key is `__proto__`. */
export function setOwn<T>(target: Record<string, T>, key: string, value: T): void {
  if (key !== "__proto__") target[key] = value;
  else
    Object.defineProperty(target, key, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
}
