import { describe, expect, test } from "vitest";
import { bytesToHex0x, concatBytes, hexToBytes, sha256, utf8ToBytes } from "./bytes.ts";
import { keccak256 } from "./keccak.ts";
import { capHash, CapPayload, capPayloadJson, capPrehash, verifyCap } from "./cap.ts";
import { decodeCanonical, encodeCanonical } from "./cbor.ts";
import {
  type AuditEnvelope,
  decodeEnvelope,
  encodeEnvelope,
  envelopeHash,
  intentCommitment,
} from "./envelope.ts";
import { parseJson, toJsonValue } from "./json.ts";
import { merkleNode, merkleRoot, opKindBitmap, v1Leaf } from "./merkle.ts";
import {
  addressOf,
  agentPopPayload,
  capPopPayload,
  childOmni,
  delegationPayload,
  deviceKeyHash,
  omni,
  recoverEip191,
  serviceHash,
  signEip191,
} from "./omni.ts";
import vectors from "../vectors.json" with { type: "json" };

/**
 * A check for each row of a group: a row that the file has and this table has not is a compile
 * error and a failing test.
 */
type Checks<Group> = { readonly [Row in keyof Group]: (row: Group[Row]) => void };

const { pinned, computed, run } = vectors;
const device = hexToBytes(pinned.k10_private_key);
const keccakText = (text: string): string => bytesToHex0x(keccak256(utf8ToBytes(text)));
const selector = (signature: string): string => keccakText(signature).slice(2, 10);
const zeroOmni = "00".repeat(32);
const zeroAddress = `0x${"00".repeat(20)}`;

const pinnedChecks: Checks<typeof pinned> = {
  k10_private_key: (row) => expect(row).toBe(`0x${"11".repeat(32)}`),
  address: (row) => expect(addressOf(device)).toBe(row),
  device_key_hash: (row) => expect(deviceKeyHash(pinned.address)).toBe(row),
  pop_sig: (row) => {
    const payload = agentPopPayload(pinned.device_key_hash);
    expect(signEip191(device, payload)).toBe(row);
    expect(recoverEip191(payload, row)).toBe(pinned.address);
  },
  sandbox_private_key: (row) => expect(row).toBe(`0x${"22".repeat(32)}`),
  sandbox_address: (row) => expect(addressOf(hexToBytes(pinned.sandbox_private_key))).toBe(row),
  delegation: (row) => {
    const payload = delegationPayload({
      device_key_hash: pinned.device_key_hash,
      sandbox_pubkey: pinned.sandbox_address,
      scope: row.scope,
      expires_at: row.expires_at,
    });
    expect(signEip191(device, payload)).toBe(row.delegation_sig);
    expect(recoverEip191(payload, row.delegation_sig)).toBe(pinned.address);
  },
  device_key_hash_from_zero_omni: (row) => expect(deviceKeyHash(zeroOmni)).toBe(row),
  selector_isServiceInScope: (row) =>
    expect(selector("isServiceInScope(bytes32,bytes32,bytes32)")).toBe(row),
  selector_currentEpoch: (row) => expect(selector("currentEpoch()")).toBe(row),
  op_kind_bitmap: (row) => {
    expect(Object.keys(row)).toHaveLength(2);
    for (const [kind, bitmap] of Object.entries(row))
      expect(opKindBitmap([Number(kind)])).toBe(bitmap);
  },
  envelope_top_level_key_order: (row) => {
    for (const { envelope_json } of computed.envelopes) {
      expect(
        Object.keys(decodeCanonical(encodeEnvelope(envelope_json as AuditEnvelope)) as object),
      ).toEqual(row);
    }
  },
  envelope_prefix_hex: (row) => {
    for (const { envelope_json } of computed.envelopes) {
      expect(
        bytesToHex0x(encodeEnvelope(envelope_json as AuditEnvelope)).slice(2, 2 + row.length),
      ).toBe(row);
    }
  },
};

const computedChecks: Checks<typeof computed> = {
  agent_pop_payload: (row) =>
    expect(bytesToHex0x(agentPopPayload(pinned.device_key_hash))).toBe(row),
  delegation_payload: (row) => {
    const { scope, expires_at } = pinned.delegation;
    const parties = {
      device_key_hash: pinned.device_key_hash,
      sandbox_pubkey: pinned.sandbox_address,
    };
    expect(bytesToHex0x(delegationPayload({ ...parties, scope, expires_at }))).toBe(row);
  },
  device_key_hash_zero_address: (row) => expect(deviceKeyHash(zeroAddress)).toBe(row),
  actor_omni_zero_wallet: (row) => expect(omni("evm", zeroAddress)).toBe(row),
  omni_evm_1234: (row) =>
    expect(omni("evm", "0x1234567890ABCDEF1234567890abcdef12345678")).toBe(row),
  omni_email_user_example: (row) => expect(omni("email", "user@example.com")).toBe(row),
  child_omni: (row) => {
    expect(row).toHaveLength(4);
    expect(row.filter(({ label }) => label.includes("/"))).toHaveLength(2);
    for (const { parent, label, child } of row) {
      // A label with a generation is the fork's form: the same hash, and not a label upstream.
      if (label.includes("/")) expect(() => childOmni(parent, label)).toThrow("label must match");
      else expect(childOmni(parent, label)).toBe(child);
      const text = utf8ToBytes(`//${label}`);
      const hash = sha256(concatBytes(utf8ToBytes("agentkeys-hdkd-v1"), hexToBytes(parent), text));
      expect(bytesToHex0x(hash)).toBe(`0x${child}`);
    }
  },
  cap_pop: (row) => {
    expect(row).toHaveLength(1);
    for (const { operator, actor, payload, client_sig, ...pop } of row) {
      const bytes = capPopPayload({ ...pop, operator_omni: operator, actor_omni: actor });
      expect(bytesToHex0x(bytes)).toBe(payload);
      expect(signEip191(device, bytes)).toBe(client_sig);
    }
  },
  service_hash: (row) => {
    expect(Object.keys(row)).toHaveLength(7);
    for (const [service, hash] of Object.entries(row)) expect(serviceHash(service)).toBe(hash);
  },
  selector_getDevice: (row) => expect(selector("getDevice(bytes32)")).toBe(row),
  event_topics: (row) => {
    expect(Object.keys(row)).toHaveLength(4);
    for (const [signature, topic] of Object.entries(row)) expect(keccakText(signature)).toBe(topic);
  },
  commit_intent: (row) => {
    expect(intentCommitment(row.intent_text, hexToBytes(row.op_payload_digest))).toBe(
      row.commitment,
    );
  },
  merkle: (row) => {
    expect(row.map(({ leaves }) => leaves.length)).toEqual([0, 1, 2, 3, 4, 3]);
    for (const { leaves, root } of row)
      expect(bytesToHex0x(merkleRoot(leaves.map(hexToBytes)))).toBe(root);
  },
  cap_payload: (row) => {
    const payload = CapPayload.parse(JSON.parse(row.json));
    expect(capPayloadJson(payload)).toBe(row.json);
    expect(bytesToHex0x(sha256(utf8ToBytes(row.json)))).toBe(`0x${row.sha256}`);
    expect(bytesToHex0x(capPrehash(payload))).toBe(`0x${row.ecdsa_input_prehash}`);
    expect(capHash(payload)).toBe(row.cap_hash);
  },
  envelopes: (row) => {
    expect(row).toHaveLength(17);
    for (const { label, envelope_json, canonical_cbor_hex, envelope_hash_hex } of row) {
      const bytes = encodeEnvelope(envelope_json as AuditEnvelope);
      expect(bytesToHex0x(bytes), label).toBe(canonical_cbor_hex);
      expect(envelopeHash(bytes), label).toBe(envelope_hash_hex);
      expect(decodeEnvelope(bytes), label).toEqual(envelope_json);
    }
  },
};

const runChecks: Checks<typeof run> = {
  op_body_cbor: (row) => {
    expect(Object.keys(row)).toHaveLength(22);
    for (const [text, hex] of Object.entries(row)) {
      const op_body = parseJson(text);
      expect(bytesToHex0x(encodeCanonical(op_body)), text).toBe(`0x${hex}`);
      const envelope = computed.envelopes[0]?.envelope_json as AuditEnvelope;
      expect(bytesToHex0x(encodeEnvelope({ ...envelope, op_body })), text).toContain(
        `676f705f626f6479${hex}676f705f6b696e64`,
      );
    }
  },
  cap_signature: (row) => {
    const token = {
      payload: CapPayload.parse(JSON.parse(row.payload_json)),
      broker_sig: row.broker_sig,
    };
    expect(verifyCap(token, row.p256_public_key_pem)).toBe(true);
    for (const field of Object.keys(token.payload) as (keyof CapPayload)[]) {
      const value = token.payload[field];
      const changed = {
        ...token.payload,
        [field]: typeof value === "number" ? value + 1 : `${value}x`,
      };
      expect(verifyCap({ ...token, payload: changed }, row.p256_public_key_pem), field).toBe(false);
    }
  },
  merkle_seven: (row) => {
    const leaves = row.leaves.map(hexToBytes);
    expect(bytesToHex0x(merkleRoot(leaves))).toBe(row.root);
    expect(row.proofs).toHaveLength(7);
    for (const [i, proof] of row.proofs.entries()) {
      const leaf = keccak256(concatBytes(Uint8Array.of(0), leaves[i] as Uint8Array));
      const root = proof.reduce((node, sibling) => merkleNode(node, hexToBytes(sibling)), leaf);
      expect(bytesToHex0x(root)).toBe(row.root);
    }
  },
  v1_leaf: ({ event, leaf }) => {
    const { op_type, timestamp } = event;
    const [actor_omni, service_hash, payload_hash] = [
      event.actor_omni,
      event.service_hash,
      event.payload_hash,
    ].map(hexToBytes);
    if (!actor_omni || !service_hash || !payload_hash) throw new Error("three hex fields");
    expect(
      bytesToHex0x(v1Leaf({ actor_omni, service_hash, payload_hash, op_type, timestamp })),
    ).toBe(leaf);
  },
  op_kind_bitmap_0_10_110: (row) => expect(opKindBitmap([0, 10, 110, 10])).toBe(row),
  omni_evm_1234_client_agentterrier: (row) => {
    expect(omni("evm", "0x1234567890abcdef1234567890abcdef12345678", "agentterrier")).toBe(row);
  },
  labels: (row) => {
    expect(row).toHaveLength(7);
    for (const { label, error } of row) {
      if (error === null) expect(childOmni(zeroOmni, label)).toMatch(/^[0-9a-f]{64}$/);
      else expect(() => childOmni(zeroOmni, label)).toThrow(new Error(error));
    }
  },
  // Scope tokens belong to delegation, which nothing here evaluates.
  cap_in_scope: (row) => expect(row).toHaveLength(10),
};

const groups = [
  { name: "pinned", group: pinned, checks: pinnedChecks, count: 13 },
  { name: "computed", group: computed, checks: computedChecks, count: 15 },
  { name: "run", group: run, checks: runChecks, count: 8 },
];

describe.each(groups)("vectors: $name", ({ group, checks, count }) => {
  test(`all ${count} rows have a check`, () => {
    expect(Object.keys(group)).toHaveLength(count);
    expect(Object.keys(checks)).toEqual(Object.keys(group));
  });

  test.each(Object.entries(group))("%s", (row, value) => {
    expect.hasAssertions();
    (checks as Record<string, (row: unknown) => void>)[row]?.(value);
  });
});

describe("conformance cases 42 to 51", () => {
  const first = computed.envelopes[0]?.envelope_json as AuditEnvelope;

  test("42: the order of keys in op_body makes no difference, at any depth", () => {
    const texts = [
      '{"a":1,"bb":{"x":1,"yy":[{"p":1,"q":2}]},"ccc":null}',
      '{"ccc":null,"bb":{"yy":[{"q":2,"p":1}],"x":1},"a":1}',
    ];
    const [one, other] = texts.map((text) =>
      envelopeHash(encodeEnvelope({ ...first, op_body: parseJson(text) })),
    );
    expect(one).toBe(other);
    expect(one).not.toBe(envelopeHash(encodeEnvelope(first)));
  });

  test("44: a body given as JSON text hashes as the parsed one", () => {
    for (const { envelope_json, envelope_hash_hex } of computed.envelopes) {
      const envelope = toJsonValue(
        parseJson(JSON.stringify(envelope_json)),
      ) as unknown as AuditEnvelope;
      expect(envelopeHash(encodeEnvelope(envelope))).toBe(envelope_hash_hex);
    }
  });

  test("45: within a pair the order of leaves makes no difference, between pairs it does", () => {
    const [a, b, c] = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte)) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    expect(merkleRoot([b, a, c])).toEqual(merkleRoot([a, b, c]));
    expect(merkleRoot([a, c, b])).not.toEqual(merkleRoot([a, b, c]));
    expect(merkleRoot([a, b, c])).toEqual(merkleRoot([a, b, c, c]));
  });

  test("51: of a proof of possession, case and 0x make no difference, every other field does", () => {
    const [row] = computed.cap_pop;
    if (row === undefined) throw new Error("the file has one cap_pop row");
    const { operator, actor, payload, client_sig: _client_sig, ...rest } = row;
    const pop = { ...rest, operator_omni: operator, actor_omni: actor };
    const same = { ...pop, operator_omni: "aabb", actor_omni: "0xCCDD", service: "Memory:Travel" };
    expect(bytesToHex0x(capPopPayload(same))).toBe(payload);
    const changes = {
      operator_omni: "aabc",
      actor_omni: "ccde",
      service: "memory:x",
      op: "fetch",
      data_class: "config",
    };
    for (const change of Object.entries({
      ...changes,
      client_nonce: "00",
      client_ts: 1767300001,
    })) {
      expect(
        bytesToHex0x(capPopPayload({ ...pop, ...Object.fromEntries([change]) })),
        change[0],
      ).not.toBe(payload);
    }
  });
});
