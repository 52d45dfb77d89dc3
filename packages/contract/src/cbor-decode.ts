import { type CborValue, MAX_CBOR_DEPTH } from "./cbor-writer.ts";
import { halfOfSingle, halfToNumber, singleBits } from "./half-float.ts";
import { fits64Bits, JsonFloat, setOwn } from "./wire-value.ts";

interface Reader {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Where the next item begins. */
  at: number;
}

// Without ignoreBOM a leading U+FEFF would be dropped.
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads exactly what `encodeCanonical` writes: one item, definite lengths, shortest forms, text
 * keys in order and once each. Floats of an integral value come back as JsonFloat, integers beyond
 * 2^53 as bigint. Anything else throws a SyntaxError.
 */
export function decodeCanonical(bytes: Uint8Array): CborValue {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const r: Reader = { bytes, view, at: 0 };
  const value = readValue(r, 0);
  if (r.at !== bytes.length) throw malformed("bytes after the item", r.at);
  return value;
}

function malformed(what: string, at: number): SyntaxError {
  return new SyntaxError(`not canonical CBOR: ${what} at byte ${at}`);
}

function readValue(r: Reader, depth: number): CborValue {
  const start = r.at;
  const first = need(r, 1);
  const major = first >>> 5;
  if (major === 7) return readSimple(r, first & 31);
  const argument = readArgument(r, first & 31);
  if (major === 0) return argument;
  if (major === 1) return readNegative(argument, start);
  const length = Number(argument);
  if (major > 3 && depth >= MAX_CBOR_DEPTH) throw malformed("nested too deeply", start);
  switch (major) {
    case 2:
      return readBytes(r, length).slice();
    case 3:
      return readText(r, length);
    case 4:
      return readArray(r, length, depth);
    case 5:
      return readMap(r, length, depth);
    default:
      throw malformed("a tag", start);
  }
}

/** Consumes `size` bytes and returns the first of them. */
function need(r: Reader, size: number): number {
  if (r.at + size > r.bytes.length) throw malformed("the end comes too early", r.at);
  const first = r.bytes[r.at] as number;
  r.at += size;
  return first;
}

function readArgument(r: Reader, info: number): number | bigint {
  if (info < 24) return info;
  const { at, view } = r;
  if (info > 27) throw malformed("an indefinite or reserved length", at - 1);
  const size = 1 << (info - 24);
  need(r, size);
  let value: number | bigint;
  if (size === 1) value = view.getUint8(at);
  else if (size === 2) value = view.getUint16(at);
  else if (size === 4) value = view.getUint32(at);
  else value = view.getBigUint64(at);
  const least = size === 1 ? 24 : 2 ** (size * 4);
  if (value < least) throw malformed("a number longer than needed", at - 1);
  return typeof value === "bigint" && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}

function readNegative(argument: number | bigint, start: number): number | bigint {
  const value = -1n - BigInt(argument);
  if (!fits64Bits(value)) throw malformed("an integer beyond 64 bits", start);
  return value >= Number.MIN_SAFE_INTEGER ? Number(value) : value;
}

function readBytes(r: Reader, length: number): Uint8Array {
  const start = r.at;
  need(r, length);
  return r.bytes.subarray(start, r.at);
}

function readText(r: Reader, length: number): string {
  const start = r.at;
  try {
    return UTF8.decode(readBytes(r, length));
  } catch (error) {
    throw error instanceof SyntaxError ? error : malformed("text that is not UTF-8", start);
  }
}

function readArray(r: Reader, length: number, depth: number): CborValue[] {
  const items: CborValue[] = [];
  for (let i = 0; i < length; i++) items.push(readValue(r, depth + 1));
  return items;
}

function readMap(r: Reader, length: number, depth: number): { [key: string]: CborValue } {
  const map: { [key: string]: CborValue } = {};
  let previous: Uint8Array | undefined;
  for (let i = 0; i < length; i++) {
    const start = r.at;
    const first = need(r, 1);
    if (first >>> 5 !== 3) throw malformed("a key that is not text", start);
    const key = readText(r, Number(readArgument(r, first & 31)));
    const encoded = r.bytes.subarray(start, r.at);
    if (previous !== undefined && !isBefore(previous, encoded))
      throw malformed("a key out of order", start);
    previous = encoded;
    setOwn(map, key, readValue(r, depth + 1));
  }
  return map;
}

/** Of two keys neither is a prefix of another one: the head holds the length. */
function isBefore(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

function readSimple(r: Reader, info: number): CborValue {
  const { at, view } = r;
  switch (info) {
    case 20:
      return false;
    case 21:
      return true;
    case 22:
      return null;
    case 25:
      need(r, 2);
      return readFloat(halfToNumber(view.getUint16(at)), 2, at);
    case 26:
      need(r, 4);
      return readFloat(view.getFloat32(at), 4, at);
    case 27:
      need(r, 8);
      return readFloat(view.getFloat64(at), 8, at);
    default:
      throw malformed("a simple value other than false, true, null", at - 1);
  }
}

function readFloat(value: number, size: number, at: number): number | JsonFloat {
  if (!Number.isFinite(value)) throw malformed("a float that is not finite", at - 1);
  if (shortestSize(value) !== size) throw malformed("a number longer than needed", at - 1);
  return Number.isInteger(value) ? new JsonFloat(value) : value;
}

function shortestSize(value: number): number {
  const single = singleBits(value);
  if (single === undefined) return 8;
  return halfOfSingle(single) === undefined ? 4 : 2;
}
