import {
  type CborValue,
  type CborWriter,
  MAX_CBOR_DEPTH,
  utf8Length,
  writeBigInt,
  useCbor,
  writeBytes,
  writeFloat,
  writeHead,
  writeText,
} from "./cbor-writer.ts";
import {
  compareUtf8,
  fits64Bits,
  isPlainObject,
  JsonFloat,
  type WireObject,
} from "./wire-value.ts";

export { decodeCanonical } from "./cbor-decode.ts";
export type { CborValue };

/**
 * Deterministic CBOR: definite lengths, shortest forms, every map sorted by the bytes of its
 * encoded keys. Fields that are `undefined` are left out. A plain number is the number that
 * `JSON.stringify` prints, read back by upstream's parser: integral values within 64 bits are
 * integers, -0 is a float. Throws a TypeError or RangeError on what has no such form.
 */
export function encodeCanonical(value: CborValue, options: EncodeOptions = {}): Uint8Array {
  return useCanonical(value, (bytes) => bytes.slice(), options);
}

/** As `encodeCanonical`, for who needs no bytes of their own: `use` gets a view that is good until it returns. */
export function useCanonical<T>(
  value: CborValue,
  use: (bytes: Uint8Array) => T,
  { zeroSign = true }: EncodeOptions = {},
): T {
  return useCbor((w) => {
    w.zeroSign = zeroSign;
    writeValue(w, value, 0);
  }, use);
}

export interface EncodeOptions {
  /**
   * Whether a plain -0 keeps its sign, as upstream's parser keeps it, or is 0, as `JSON.stringify`
   * prints it. Default true.
   */
  zeroSign?: boolean;
}

/** Appends one item that lies `depth` levels deep. */
export function writeValue(w: CborWriter, value: CborValue | undefined, depth: number): void {
  switch (typeof value) {
    case "string":
      return writeText(w, value);
    case "number":
      return writeNumber(w, value);
    case "boolean":
      return writeHead(w, 7, value ? 21 : 20);
    case "bigint":
      if (!fits64Bits(value)) throw new RangeError("integer beyond 64 bits");
      return writeBigInt(w, value);
    case "object":
      if (value === null) return writeHead(w, 7, 22);
      if (value instanceof JsonFloat) return writeFloat(w, value.value);
      if (value instanceof Uint8Array) return writeBytes(w, value);
      if (depth >= MAX_CBOR_DEPTH) throw new RangeError("nested too deeply");
      return Array.isArray(value)
        ? writeArray(w, value, depth)
        : writeMap(w, value as WireObject, depth);
    case "undefined":
    case "function":
    case "symbol":
      throw new TypeError(`not a JSON value: ${typeof value}`);
  }
}

function writeNumber(w: CborWriter, value: number): void {
  if (Number.isSafeInteger(value) && !(w.zeroSign && Object.is(value, -0))) {
    return value >= 0 ? writeHead(w, 0, value) : writeHead(w, 1, -1 - value);
  }
  // Beyond 2^53 JSON.stringify prints the shortest digits, which may name another integer.
  if (Number.isInteger(value) && value !== 0 && Math.abs(value) < 1e20) {
    const integer = BigInt(String(value));
    if (fits64Bits(integer)) return writeBigInt(w, integer);
  }
  writeFloat(w, value);
}

function writeArray(w: CborWriter, items: readonly CborValue[], depth: number): void {
  writeHead(w, 4, items.length);
  for (let i = 0; i < items.length; i++) writeValue(w, items[i], depth + 1);
}

function writeMap(w: CborWriter, map: WireObject, depth: number): void {
  if (!isPlainObject(map)) throw new TypeError("not a plain object");
  const keys = sortedKeys(map);
  writeHead(w, 5, keys.length);
  for (const key of keys) {
    writeText(w, key);
    writeValue(w, map[key], depth + 1);
  }
}

/**
 * Keys in the order of their encoded bytes: a longer key has a greater head, so length comes first.
 */
function sortedKeys(map: WireObject): string[] {
  const keys: string[] = [];
  let ascii = true;
  for (const key of Object.keys(map)) {
    if (map[key] === undefined) continue;
    if (ascii && !isAscii(key)) ascii = false;
    keys.push(key);
  }
  const compare = ascii ? compareAscii : compareEncoded;
  if (keys.length > 16) return keys.toSorted(compare);
  // Few keys, and often in order already.
  for (let i = 1; i < keys.length; i++) {
    const key = keys[i] as string;
    let j = i;
    for (; j > 0 && compare(keys[j - 1] as string, key) > 0; j--) keys[j] = keys[j - 1] as string;
    keys[j] = key;
  }
  return keys;
}

function isAscii(key: string): boolean {
  for (let i = 0; i < key.length; i++) if (key.charCodeAt(i) >= 0x80) return false;
  return true;
}

function compareAscii(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : 1);
}

function compareEncoded(a: string, b: string): number {
  return utf8Length(a) - utf8Length(b) || compareUtf8(a, b);
}
