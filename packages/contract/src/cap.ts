import { p256 } from "@noble/curves/nist.js";
import * as z from "zod";
import { bytesToHex0x, hexToBytes, sha256, utf8ToBytes } from "./bytes.ts";
import { keccak256 } from "./keccak.ts";

/**
 * What the broker signs. The order of the fields is the order of the signed bytes. Times in seconds
 * since 1970.
 */
export const CapPayload = z.object({
  operator_omni: z.string(),
  actor_omni: z.string(),
  service: z.string(),
  op: z.string(),
  data_class: z.string(),
  device_key_hash: z.string(),
  k3_epoch: z.int().nonnegative(),
  issued_at: z.int().nonnegative(),
  expires_at: z.int().nonnegative(),
  nonce: z.string().describe("Names the capability: the cap_id of cap.revoke."),
});
export type CapPayload = z.infer<typeof CapPayload>;

/**
 * A capability as it travels; the last four fields are the proof of possession, where one was sent.
 */
export const CapToken = z.object({
  payload: CapPayload,
  broker_sig: z.string().describe("ES256, r and s as base64url without padding."),
  client_sig: z.string().nullish(),
  client_nonce: z.string().nullish(),
  client_ts: z.int().nullish(),
  delegation_path: z
    .object({ scope: z.string(), expires_at: z.int(), delegation_sig: z.string() })
    .nullish(),
});
export type CapToken = z.infer<typeof CapToken>;

/**
 * What `cap.mint` accepts as `op`, and what it puts into the payload. The default `service` is the
 * data class's own name; upstream's older backend writes the `debugName` of the key as the
 * payload's op.
 */
export const capOps = {
  cred_store: { op: "store", data_class: "credentials" },
  cred_fetch: { op: "fetch", data_class: "credentials" },
  memory_put: { op: "store", data_class: "memory" },
  memory_get: { op: "fetch", data_class: "memory" },
  memory_canonical_get: { op: "canonical_fetch", data_class: "memory" },
  memory_append: { op: "append", data_class: "memory" },
  config_store: { op: "store", data_class: "config" },
  config_fetch: { op: "fetch", data_class: "config" },
  channel_publish: { op: "channel_publish", data_class: "channel" },
  channel_subscribe: { op: "channel_subscribe", data_class: "channel" },
  speech_use: { op: "speech_use", data_class: "speech" },
} as const;

/** `Store`, `CanonicalFetch`, `MemoryGet`: how upstream's refusals spell ops and data classes. */
export function debugName(word: string): string {
  return word.replace(/(?:^|_)([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}

/** Lifetime of a capability in seconds: 60 to 1,800, by default 300. */
export function clampTtl(seconds = 300): number {
  return Math.min(1800, Math.max(60, seconds));
}

/** The signed text: the ten fields in declaration order and nothing else. */
export function capPayloadJson(payload: CapPayload): string {
  const { operator_omni, actor_omni, service, op, data_class, device_key_hash } = payload;
  const { k3_epoch, issued_at, expires_at, nonce } = payload;
  return JSON.stringify({
    operator_omni,
    actor_omni,
    service,
    op,
    data_class,
    device_key_hash,
    k3_epoch,
    issued_at,
    expires_at,
    nonce,
  });
}

/** The `cap_hash` of audit bodies: keccak256 of the signed text, `0x` and 64 hex digits. */
export function capHash(payload: CapPayload): string {
  return bytesToHex0x(keccak256(utf8ToBytes(capPayloadJson(payload))));
}

/**
 * The 32 bytes that ECDSA signs: SHA-256 *twice*, because upstream hands a digest to a signer that
 * hashes again.
 */
export function capPrehash(payload: CapPayload): Uint8Array {
  return sha256(sha256(utf8ToBytes(capPayloadJson(payload))));
}

/**
 * Whether the broker with this P-256 key (SEC1 bytes, or an SPKI PEM text) signed the token. Says
 * nothing about expiry, op or revocation. A millisecond or two in pure JavaScript; a malformed
 * signature is false, a malformed key throws.
 */
export function verifyCap(token: CapToken, publicKey: Uint8Array | string): boolean {
  const key = typeof publicKey === "string" ? keyFromPem(publicKey) : publicKey;
  const signature = decodeSignature(token.broker_sig);
  if (signature === undefined) return false;
  // Upstream's signer does not normalise s.
  return p256.verify(signature, capPrehash(token.payload), key, { prehash: false, lowS: false });
}

/** r and s, 64 bytes, of 86 base64url characters. */
function decodeSignature(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9_-]{86}$/.test(text)) return undefined;
  return binaryToBytes(atob(text.replaceAll("-", "+").replaceAll("_", "/")));
}

/** An uncompressed P-256 key in a SubjectPublicKeyInfo always begins with these bytes. */
const SPKI_P256 = hexToBytes("3059301306072a8648ce3d020106082a8648ce3d030107034200");

function keyFromPem(pem: string): Uint8Array {
  const base64 = /-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----/.exec(
    pem,
  )?.[1];
  const der = binaryToBytes(atob(base64 ?? ""));
  if (der.length !== SPKI_P256.length + 65 || SPKI_P256.some((byte, i) => der[i] !== byte)) {
    throw new TypeError("not a P-256 public key");
  }
  return der.subarray(SPKI_P256.length);
}

function binaryToBytes(binary: string): Uint8Array {
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
