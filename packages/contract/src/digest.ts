import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex0x } from "./bytes.ts";
import { keccak256 } from "./keccak.ts";
import { useCanonical } from "./cbor.ts";
import type { JsonValue } from "./json.ts";

/**
 * `0x` and 64 hex digits that name one tool input: keccak256 of the canonical CBOR of what
 * `JSON.stringify` sends, so the order of keys, fields that are `undefined` and the sign of zero
 * make no difference. Guessable for a low-entropy input; see `hmacDigest`. Throws a TypeError or
 * RangeError on what is not JSON, instead of digesting less than was given.
 */
export function inputDigest(value: JsonValue): string {
  return bytesToHex0x(useCanonical(value, keccak256, asJson));
}

/** As `inputDigest`, under a secret key: HMAC-SHA-256 over the same bytes. */
export function hmacDigest(key: Uint8Array, value: JsonValue): string {
  return bytesToHex0x(useCanonical(value, (bytes) => hmac(sha256, key, bytes), asJson));
}

const asJson = { zeroSign: false };
