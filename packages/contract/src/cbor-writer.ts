import { halfOfSingle, singleBits } from "./half-float.ts";
import { isWellFormed, MAX_DEPTH, type WireValue } from "./wire-value.ts";

/** What canonical CBOR holds here: wire JSON and byte strings. */
export type CborValue = WireValue | Uint8Array | CborValue[] | { [key: string]: CborValue };

/** Levels of arrays and maps in one item: those of a JSON text and an envelope around it. */
export const MAX_CBOR_DEPTH = MAX_DEPTH + 1;

/** A growing buffer that canonical CBOR items are appended to. */
export interface CborWriter {
  bytes: Uint8Array<ArrayBuffer>;
  /** Where the next byte goes. */
  at: number;
  /** Whether a plain -0 is written as a float. */
  zeroSign: boolean;
}

const INITIAL_SIZE = 4096;
/** A buffer that grew beyond this is dropped after use and not kept for the next item. */
const KEPT_SIZE = 1 << 16;

const UTF8 = new TextEncoder();
const scratch = new DataView(new ArrayBuffer(8));

let spare: CborWriter | undefined;

/** Runs `fill` on a writer and returns the bytes that it wrote. */
export function writeCbor(fill: (w: CborWriter) => void): Uint8Array {
  return useCbor(fill, (bytes) => bytes.slice());
}

/**
 * Runs `fill` on a writer and gives `use` the bytes that it wrote: a view of the buffer, good until
 * `use` returns. One buffer is reused; a nested call gets its own.
 */
export function useCbor<T>(fill: (w: CborWriter) => void, use: (bytes: Uint8Array) => T): T {
  const w = spare ?? { bytes: new Uint8Array(INITIAL_SIZE), at: 0, zeroSign: true };
  spare = undefined;
  w.at = 0;
  w.zeroSign = true;
  try {
    fill(w);
    return use(w.bytes.subarray(0, w.at));
  } finally {
    if (w.bytes.length <= KEPT_SIZE) spare = w;
  }
}

function reserve(w: CborWriter, size: number): void {
  if (w.at + size <= w.bytes.length) return;
  const grown = new Uint8Array(Math.max(w.bytes.length * 2, w.at + size));
  grown.set(w.bytes.subarray(0, w.at));
  w.bytes = grown;
}

/** Appends bytes that are CBOR already. */
export function writeRaw(w: CborWriter, bytes: Uint8Array): void {
  reserve(w, bytes.length);
  w.bytes.set(bytes, w.at);
  w.at += bytes.length;
}

/** Type and argument in their shortest form. `argument`: an integer of 0 to 2^53 - 1. */
export function writeHead(w: CborWriter, major: number, argument: number): void {
  reserve(w, 9);
  const { bytes } = w;
  const type = major << 5;
  if (argument < 24) {
    bytes[w.at++] = type | argument;
  } else if (argument < 0x100) {
    bytes[w.at++] = type | 24;
    bytes[w.at++] = argument;
  } else if (argument < 0x1_0000) {
    bytes[w.at++] = type | 25;
    bytes[w.at++] = argument >>> 8;
    bytes[w.at++] = argument;
  } else if (argument < 0x1_0000_0000) {
    bytes[w.at++] = type | 26;
    writeUint32(w, argument);
  } else {
    bytes[w.at++] = type | 27;
    writeUint32(w, Math.floor(argument / 0x1_0000_0000));
    writeUint32(w, argument);
  }
}

/** The lowest 32 bits; room is the caller's business. */
function writeUint32(w: CborWriter, value: number): void {
  const { bytes } = w;
  bytes[w.at++] = value >>> 24;
  bytes[w.at++] = value >>> 16;
  bytes[w.at++] = value >>> 8;
  bytes[w.at++] = value;
}

/** An integer of i64 or u64. */
export function writeBigInt(w: CborWriter, value: bigint): void {
  const argument = value < 0n ? -1n - value : value;
  if (argument <= Number.MAX_SAFE_INTEGER)
    return writeHead(w, value < 0n ? 1 : 0, Number(argument));
  reserve(w, 9);
  w.bytes[w.at++] = value < 0n ? 0x3b : 0x1b;
  scratch.setBigUint64(0, argument);
  writeUint32(w, scratch.getUint32(0));
  writeUint32(w, scratch.getUint32(4));
}

export function writeBytes(w: CborWriter, bytes: Uint8Array): void {
  writeHead(w, 2, bytes.length);
  writeRaw(w, bytes);
}

/**
 * A 32-byte string given as 64 hex digits, `0x` before them or not. Writes nothing and returns
 * false if it is not that.
 */
export function writeHex32(w: CborWriter, hex: string): boolean {
  const from = hex.startsWith("0x") ? 2 : 0;
  if (hex.length !== from + 64) return false;
  reserve(w, 34);
  const { bytes, at } = w;
  bytes[at] = 0x58;
  bytes[at + 1] = 32;
  let invalid = 0;
  for (let i = 0; i < 32; i++) {
    const high = nibble(hex.charCodeAt(from + 2 * i));
    const low = nibble(hex.charCodeAt(from + 2 * i + 1));
    invalid |= high | low;
    bytes[at + 2 + i] = (high << 4) | low;
  }
  if (invalid > 15) return false;
  w.at = at + 34;
  return true;
}

/** The value of a hex digit, 16 for any other character. */
function nibble(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : 16;
}

/** Text as UTF-8. Throws on a lone surrogate, which has no UTF-8 form. */
export function writeText(w: CborWriter, text: string): void {
  const { length } = text;
  if (length > 23) return writeLongText(w, text);
  reserve(w, 1 + length);
  const { bytes } = w;
  const start = w.at + 1;
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x80) return writeLongText(w, text);
    bytes[start + i] = unit;
  }
  bytes[w.at] = 0x60 | length;
  w.at = start + length;
}

function writeLongText(w: CborWriter, text: string): void {
  // A UTF-16 unit takes at most three bytes, the head at most nine.
  reserve(w, 9 + 3 * text.length);
  const head = w.at;
  writeHead(w, 3, text.length);
  const { written } = UTF8.encodeInto(text, w.bytes.subarray(w.at));
  if (written !== text.length) {
    if (!isWellFormed(text)) throw new TypeError("lone surrogate in a string");
    w.at = head;
    writeHead(w, 3, written);
    UTF8.encodeInto(text, w.bytes.subarray(w.at));
  }
  w.at += written;
}

/** Bytes of a well-formed text in UTF-8. */
export function utf8Length(text: string): number {
  let size = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    // Each half of a surrogate pair stands for two of its four bytes.
    if (unit >= 0x800 && (unit < 0xd800 || unit > 0xdfff)) size += 2;
    else if (unit >= 0x80) size += 1;
  }
  return size;
}

/** The shortest of half, single and double precision that loses nothing. */
export function writeFloat(w: CborWriter, value: number): void {
  if (!Number.isFinite(value)) throw new TypeError(`not a JSON number: ${value}`);
  reserve(w, 9);
  const { bytes } = w;
  const single = singleBits(value);
  const half = single === undefined ? undefined : halfOfSingle(single);
  if (half !== undefined) {
    bytes[w.at++] = 0xf9;
    bytes[w.at++] = half >>> 8;
    bytes[w.at++] = half;
  } else if (single !== undefined) {
    bytes[w.at++] = 0xfa;
    writeUint32(w, single);
  } else {
    scratch.setFloat64(0, value);
    bytes[w.at++] = 0xfb;
    writeUint32(w, scratch.getUint32(0));
    writeUint32(w, scratch.getUint32(4));
  }
}
