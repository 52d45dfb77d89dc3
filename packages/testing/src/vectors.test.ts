import { createPublicKey, createHash, verify } from "node:crypto";
import {
  capPrehash,
  type CapPayload,
  decodeEnvelope,
  encodeCanonical,
  envelopeHash,
  hexToBytes,
  parseJson,
  reveal,
} from "@agentkeys/contract";
import { expect, test } from "vitest";
import { bodyVectors, capVector, digestVectors, envelopeVectors } from "./vectors.ts";

test.each(envelopeVectors)("record: $label", ({ envelope, cbor, envelope_hash }) => {
  const bytes = hexToBytes(cbor);
  expect(decodeEnvelope(bytes)).toEqual(envelope);
  expect(envelopeHash(bytes)).toBe(envelope_hash);
});

test.each(bodyVectors)("body: $json", ({ json, cbor }) => {
  expect(Buffer.from(encodeCanonical(parseJson(json))).toString("hex")).toBe(cbor);
});

test.each(digestVectors)("digest: $input", ({ input, input_digest, keyed_digest }) => {
  expect(reveal(input_digest, input)).toBe(true);
  expect(reveal(keyed_digest, input, { digestKey: new Uint8Array(16).fill(7) })).toBe(true);
});

test("the capability's signature verifies with nothing of ours", () => {
  const { payload_json, public_key_pem, broker_sig } = capVector;
  const key = { key: createPublicKey(public_key_pem), dsaEncoding: "ieee-p1363" } as const;
  const signature = Buffer.from(broker_sig, "base64url");
  const digest = createHash("sha256").update(payload_json).digest();
  expect(verify("sha256", digest, key, signature)).toBe(true);
  expect(verify("sha256", Buffer.alloc(32), key, signature)).toBe(false);
  expect(capPrehash(JSON.parse(payload_json) as CapPayload)).toHaveLength(32);
});
