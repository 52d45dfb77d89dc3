import type { AuditEnvelope, JsonValue } from "@agentkeys/contract";
import vectors from "@agentkeys/contract/vectors.json" with { type: "json" };

/** One audit record, its bytes and its name. */
export interface EnvelopeVector {
  readonly label: string;
  readonly envelope: AuditEnvelope;
  /** Canonical CBOR, `0x` and hex. */
  readonly cbor: string;
  /** keccak256 of these bytes, `0x` and 64 digits. */
  readonly envelope_hash: string;
}

/** Records as AgentKeys encodes them. */
export const envelopeVectors: readonly EnvelopeVector[] = vectors.computed.envelopes.map(
  ({ label, envelope_json, canonical_cbor_hex, envelope_hash_hex }) => ({
    label,
    envelope: envelope_json as AuditEnvelope,
    cbor: canonical_cbor_hex,
    envelope_hash: envelope_hash_hex,
  }),
);

/** JSON texts and the CBOR of what they mean inside a body, where encoders differ most; hex without `0x`. */
export const bodyVectors: readonly { readonly json: string; readonly cbor: string }[] =
  Object.entries(vectors.run.op_body_cbor).map(([json, cbor]) => ({ json, cbor }));

/** An input and the digests that stand for it in a record. */
export interface DigestVector {
  readonly input: JsonValue;
  /** keccak256 of its canonical CBOR. */
  readonly input_digest: string;
  /** HMAC-SHA-256 of the same bytes under a `digestKey` of 16 bytes of 7. */
  readonly keyed_digest: string;
}

export const digestVectors: readonly DigestVector[] = [
  {
    input: { dish: "mapo tofu", price: 600 },
    input_digest: "0xb65d971b3c517b18698e7d4567b2c1be61b02bac9fc930f3646dfc0f615704fe",
    keyed_digest: "0xcd05a320c70bcc94c2e514854012ba7bd25bb80282aa6892070ec1c9e7b24af7",
  },
  {
    input: { at: "1970-01-01T00:00:00.000Z", tags: [], note: null },
    input_digest: "0x0ab939226cdd159b0fdf5990774086af92f4254181604a3996bfb80092754936",
    keyed_digest: "0xa7b17b03f46f90d40f12a74302eefdfc19c3b449af48b355ff5df5fa5d139820",
  },
];

/** A signed capability: what the broker signed, with which key, and its signature (r and s, base64url). */
export const capVector: {
  readonly payload_json: string;
  readonly public_key_pem: string;
  readonly broker_sig: string;
} = {
  payload_json: vectors.run.cap_signature.payload_json,
  public_key_pem: vectors.run.cap_signature.p256_public_key_pem,
  broker_sig: vectors.run.cap_signature.broker_sig,
};
