import { fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type SendRequest,
  SendRequestSchema,
  type SendResponse,
  SendResponseSchema,
} from "../../generated/macp/v1/core_pb.ts";
import { type Ack, type Envelope, EnvelopeSchema } from "../../generated/macp/v1/envelope_pb.ts";

/*
 * `Send` is the traffic, and the generated codec reads and writes by description: slower than all the rest of a call. What stands
 * here does the usual message and nothing else; for whatever it does not know for certain it leaves the bytes to that codec.
 */

/** Field number and wire type of a field's first byte. */
const tag = (field: number, type: number): number => (field << 3) | type;
const VARINT = 0;
const BYTES = 2;

const textFields = [
  "macpVersion",
  "mode",
  "messageType",
  "messageId",
  "sessionId",
  "sender",
] as const satisfies readonly (keyof Envelope)[];
const timestampTag = tag(7, VARINT);
const payloadTag = tag(8, BYTES);

/** Throws for what is no such message. */
export function readSendRequest(bytes: Buffer): SendRequest {
  return readUsual(bytes) ?? fromBinary(SendRequestSchema, viewOf(bytes));
}

/** A request of one envelope, with fields that are known and texts that are text. */
function readUsual(bytes: Buffer): SendRequest | undefined {
  const at = { at: 1 };
  if (bytes[0] !== tag(1, BYTES)) return undefined;
  const size = readVarint(bytes, at);
  if (size === undefined || at.at + size !== bytes.length) return undefined;
  const envelope = readEnvelope(bytes, at);
  return envelope && { $typeName: SendRequestSchema.typeName, envelope };
}

function readEnvelope(bytes: Buffer, cursor: Cursor): Envelope | undefined {
  const envelope = {
    $typeName: EnvelopeSchema.typeName,
    macpVersion: "",
    mode: "",
    messageType: "",
    messageId: "",
    sessionId: "",
    sender: "",
    timestampUnixMs: 0n,
    payload: nothing as Uint8Array,
  };
  while (cursor.at < bytes.length) {
    const first = bytes[cursor.at++] ?? 0;
    const number = readVarint(bytes, cursor);
    if (number === undefined) return undefined;
    if (first === timestampTag) {
      envelope.timestampUnixMs = BigInt(number);
      continue;
    }
    const from = cursor.at;
    cursor.at += number;
    if (cursor.at > bytes.length) return undefined;
    const name = first % 8 === BYTES ? textFields[(first >> 3) - 1] : undefined;
    if (first === payloadTag) envelope.payload = viewOf(bytes, from, number);
    else {
      const text = name && readText(bytes, from, cursor.at);
      if (name === undefined || text === undefined) return undefined;
      envelope[name] = text;
    }
  }
  return envelope;
}

/** Texts are made once and not for each message that names the same mode, session and sender. ASCII, a slot each. */
const words: string[] = Array.from({ length: 256 }, () => "");
const longestWord = 64;

/** Undefined for what may be no UTF-8. */
function readText(bytes: Buffer, from: number, to: number): string | undefined {
  const size = to - from;
  const slot = (31 * size + 7 * (bytes[from] ?? 0) + (bytes[to - 1] ?? 0)) % words.length;
  const word = words[slot] ?? "";
  if (word.length === size && isAt(bytes, from, word)) return word;
  const text = bytes.toString("utf8", from, to);
  // Stands for what is no UTF-8, too.
  if (text.includes("\ufffd")) return undefined;
  // As long as its bytes: each of them is a character.
  if (text.length === size && size <= longestWord) words[slot] = text;
  return text;
}

function isAt(bytes: Buffer, from: number, word: string): boolean {
  for (let index = 0; index < word.length; index++) {
    if (bytes[from + index] !== word.charCodeAt(index)) return false;
  }
  return true;
}

interface Cursor {
  at: number;
}

const nothing = new Uint8Array(0);
/** Bytes of a varint that a number holds for certain. */
const mostVarintBytes = 7;

/** Undefined for a number that is cut off or large: a negative one has ten bytes. */
function readVarint(bytes: Buffer, cursor: Cursor): number | undefined {
  let value = 0;
  let unit = 1;
  for (let index = 0; index < mostVarintBytes; index++) {
    const byte = bytes[cursor.at++];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * unit;
    if (byte < 0x80) return value;
    unit *= 128;
  }
  return undefined;
}

/** `bytes` fields are Uint8Arrays and no Buffers. */
function viewOf(bytes: Buffer, from = 0, length = bytes.length): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + from, length);
}

/** Numbers below it are shifted. */
const small = 2 ** 30;
/** Beyond it a number is not exact. */
const latest = BigInt(Number.MAX_SAFE_INTEGER);

export function writeSendResponse(response: SendResponse): Uint8Array {
  const { ack } = response;
  const usual =
    ack?.error === undefined &&
    ack?.messageId &&
    ack.sessionId &&
    ack.sessionState > 0 &&
    ack.acceptedAtUnixMs > 0n &&
    ack.acceptedAtUnixMs < latest;
  return usual ? writeAccepted(ack) : toBinary(SendResponseSchema, response);
}

/** Room for all numbers of an Ack, and for the tags and lengths of its texts. */
const overhead = 40;

/** An Ack with everything but an error. A flag that is not set is left out. */
function writeAccepted(ack: Ack): Uint8Array {
  const { ok, duplicate, messageId, sessionId, acceptedAtUnixMs, sessionState } = ack;
  const room = overhead + Buffer.byteLength(messageId) + Buffer.byteLength(sessionId);
  const bytes = Buffer.allocUnsafe(room);
  // Where the Ack's own length goes: as many bytes as the largest that it could have.
  const start = 1 + varintSize(room);
  let at = start;
  if (ok) at = writeVarint(bytes, writeVarint(bytes, at, tag(1, VARINT)), 1);
  if (duplicate) at = writeVarint(bytes, writeVarint(bytes, at, tag(2, VARINT)), 1);
  at = writeText(bytes, writeVarint(bytes, at, tag(3, BYTES)), messageId);
  at = writeText(bytes, writeVarint(bytes, at, tag(4, BYTES)), sessionId);
  at = writeVarint(bytes, writeVarint(bytes, at, tag(5, VARINT)), Number(acceptedAtUnixMs));
  at = writeVarint(bytes, writeVarint(bytes, at, tag(6, VARINT)), sessionState);
  const size = at - start;
  const from = start - 1 - varintSize(size);
  writeVarint(bytes, writeVarint(bytes, from, tag(1, BYTES)), size);
  return bytes.subarray(from, at);
}

/** Answers where the next byte goes. */
function writeVarint(bytes: Buffer, from: number, value: number): number {
  let at = from;
  let rest = value;
  for (; rest >= small; rest /= 128) {
    bytes[at++] = (rest % 128) + 128;
    rest -= rest % 128;
  }
  // By shifts from here on: a time as a fraction is an object for each of its bytes.
  let bits = rest;
  for (; bits > 0x7f; bits >>= 7) bytes[at++] = (bits & 0x7f) | 0x80;
  bytes[at++] = bits;
  return at;
}

function writeText(bytes: Buffer, from: number, text: string): number {
  const at = writeVarint(bytes, from, Buffer.byteLength(text));
  return at + bytes.write(text, at, "utf8");
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest > 0x7f; rest >>= 7) size++;
  return size;
}
