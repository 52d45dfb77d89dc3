import { bytesToHex0x, concatBytes, utf8ToBytes } from "./bytes.ts";
import { keccak256 } from "./keccak.ts";
import { type CborValue, decodeCanonical, encodeCanonical, writeValue } from "./cbor.ts";
import {
  type CborWriter,
  writeCbor,
  writeHead,
  writeHex32,
  writeRaw,
  writeText,
} from "./cbor-writer.ts";
import { JsonFloat, type WireValue } from "./json.ts";

/**
 * One row of the audit log. Hex texts are `0x` and 64 digits here and byte strings in the encoding.
 */
export interface AuditEnvelope {
  version: 1;
  /** Seconds since 1970. */
  ts_unix: number;
  actor_omni: string;
  operator_omni: string;
  /** One byte; names are in `opKinds`. */
  op_kind: number;
  op_body: WireValue;
  /** One byte; `RESULTS` names the assigned ones. */
  result: number;
  intent_text: string | null;
  intent_commitment: string | null;
}

const key = {
  result: encodeCanonical("result"),
  op_body: encodeCanonical("op_body"),
  op_kind: encodeCanonical("op_kind"),
  ts_unix: encodeCanonical("ts_unix"),
  version: encodeCanonical("version"),
  actor_omni: encodeCanonical("actor_omni"),
  intent_text: encodeCanonical("intent_text"),
  operator_omni: encodeCanonical("operator_omni"),
  intent_commitment: encodeCanonical("intent_commitment"),
};

/**
 * The canonical bytes: a map of all nine fields in the order of `key`, absent ones as null. Hex may
 * come without its `0x`. Throws an Error with upstream's text on a wrong version or hex field.
 */
export function encodeEnvelope(envelope: AuditEnvelope): Uint8Array {
  requireVersion(envelope.version);
  return writeCbor((w) => {
    writeHead(w, 5, 9);
    writeRaw(w, key.result);
    writeHead(w, 0, integer("result", envelope.result, 255));
    writeRaw(w, key.op_body);
    writeValue(w, envelope.op_body, 1);
    writeRaw(w, key.op_kind);
    writeHead(w, 0, integer("op_kind", envelope.op_kind, 255));
    writeRaw(w, key.ts_unix);
    writeHead(w, 0, integer("ts_unix", envelope.ts_unix, Number.MAX_SAFE_INTEGER));
    writeRaw(w, key.version);
    writeHead(w, 0, 1);
    writeRaw(w, key.actor_omni);
    writeHexField(w, "actor_omni", envelope.actor_omni);
    writeRaw(w, key.intent_text);
    if (envelope.intent_text === null) writeNull(w);
    else writeText(w, envelope.intent_text);
    writeRaw(w, key.operator_omni);
    writeHexField(w, "operator_omni", envelope.operator_omni);
    writeRaw(w, key.intent_commitment);
    if (envelope.intent_commitment === null) writeNull(w);
    else writeHexField(w, "intent_commitment", envelope.intent_commitment);
  });
}

function writeNull(w: CborWriter): void {
  writeHead(w, 7, 22);
}

function requireVersion(version: CborValue | undefined): void {
  if (version === 1) return;
  const shown = typeof version === "number" || typeof version === "bigint" ? version : "none";
  throw new Error(`unsupported envelope version: ${shown} (this code supports 1)`);
}

function integer(field: string, value: number, max: number): number {
  if (Number.isInteger(value) && value >= 0 && value <= max) return value;
  throw new RangeError(`${field}: not an integer of 0 to ${max}`);
}

function writeHexField(w: CborWriter, field: string, hex: string): void {
  if (!writeHex32(w, hex)) throw new Error(hexFieldProblem(field, hex));
}

/**
 * Upstream's text for a hex field of an envelope that is not 32 bytes. `0x` is optional, `0X`
 * refused.
 */
export function hexFieldProblem(field: string, hex: string): string | undefined {
  const digits = hex.startsWith("0x") ? hex.slice(2) : hex;
  if (digits.length % 2 === 1) return `${field}: invalid hex: Odd number of digits`;
  const position = digits.search(/[^0-9a-fA-F]/);
  if (position >= 0)
    return `${field}: invalid hex: Invalid character '${digits[position]}' at position ${position}`;
  return digits.length === 64 ? undefined : `${field}: expected 32 bytes, got ${digits.length / 2}`;
}

/**
 * Reads canonical bytes back. Unknown keys are ignored, unknown op_kind and result bytes are kept.
 * Throws an Error: upstream's text for another version, a SyntaxError for bytes that are not
 * canonical.
 */
export function decodeEnvelope(bytes: Uint8Array): AuditEnvelope {
  const map = decodeCanonical(bytes);
  if (!isMap(map)) throw new Error("not an audit envelope");
  requireVersion(map["version"]);
  return {
    version: 1,
    ts_unix: asInteger("ts_unix", map, Number.MAX_SAFE_INTEGER),
    actor_omni: asHex32("actor_omni", map),
    operator_omni: asHex32("operator_omni", map),
    op_kind: asInteger("op_kind", map, 255),
    op_body: asWire("op_body", map["op_body"]),
    result: asInteger("result", map, 255),
    intent_text: asText("intent_text", map),
    intent_commitment: map["intent_commitment"] === null ? null : asHex32("intent_commitment", map),
  };
}

interface CborMap {
  [key: string]: CborValue;
}

function isMap(value: CborValue | undefined): value is CborMap {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array || value instanceof JsonFloat)
  );
}

function wrong(field: string): Error {
  return new Error(`not an audit envelope: ${field}`);
}

function asInteger(field: string, map: CborMap, max: number): number {
  const value = map[field];
  if (typeof value !== "number") throw wrong(field);
  return integer(field, value, max);
}

function asHex32(field: string, map: CborMap): string {
  const value = map[field];
  if (!(value instanceof Uint8Array) || value.length !== 32) throw wrong(field);
  return bytesToHex0x(value);
}

function asText(field: string, map: CborMap): string | null {
  const value = map[field];
  if (typeof value !== "string" && value !== null) throw wrong(field);
  return value;
}

/** A body comes from JSON, so it holds no byte strings. */
function asWire(field: string, value: CborValue | undefined): WireValue {
  if (value === undefined || value instanceof Uint8Array) throw wrong(field);
  if (Array.isArray(value)) for (const item of value) asWire(field, item);
  else if (isMap(value)) for (const item of Object.values(value)) asWire(field, item);
  return value as WireValue;
}

/** keccak256 of the canonical bytes, `0x` and 64 hex digits. */
export function envelopeHash(bytes: Uint8Array): string {
  return bytesToHex0x(keccak256(bytes));
}

/**
 * Binds the text that a person read to the digest (32 bytes) of the operation: `intent_commitment`,
 * `0x` and 64 hex digits.
 */
export function intentCommitment(intentText: string, opPayloadDigest: Uint8Array): string {
  if (opPayloadDigest.length !== 32) throw new RangeError("op_payload_digest: not 32 bytes");
  return bytesToHex0x(keccak256(concatBytes(utf8ToBytes(`${intentText}|`), opPayloadDigest)));
}
