import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { describe, expect, test } from "vitest";
import { sha256, utf8ToBytes } from "./bytes.ts";
import {
  capHash,
  capOps,
  CapPayload,
  capPayloadJson,
  CapToken,
  clampTtl,
  debugName,
  verifyCap,
} from "./cap.ts";

const payload: CapPayload = {
  operator_omni: `0x${"aa".repeat(32)}`,
  actor_omni: `0x${"bb".repeat(32)}`,
  service: "openrouter",
  op: "fetch",
  data_class: "credentials",
  device_key_hash: `0x${"cc".repeat(32)}`,
  k3_epoch: 1,
  issued_at: 1700000000,
  expires_at: 1700000600,
  nonce: "n-1",
};
const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const pem = publicKey.export({ type: "spki", format: "pem" }) as string;
const sec1 = new Uint8Array(publicKey.export({ type: "spki", format: "der" }).subarray(26));

/** As a server on Node signs: the signer hashes the digest once more. */
function mint(cap: CapPayload): CapToken {
  const digest = sha256(utf8ToBytes(capPayloadJson(cap)));
  const signature = sign("sha256", digest, { key: privateKey, dsaEncoding: "ieee-p1363" });
  return { payload: cap, broker_sig: signature.toString("base64url") };
}

describe("capPayloadJson", () => {
  test("declaration order whatever the order given, and nothing else", () => {
    const shuffled = Object.fromEntries(
      Object.entries({ ...payload, extra: 1 }).toReversed(),
    ) as unknown as CapPayload;
    expect(capPayloadJson(shuffled)).toBe(capPayloadJson(payload));
    expect(Object.keys(JSON.parse(capPayloadJson(shuffled)) as object)).toEqual(
      Object.keys(CapPayload.shape),
    );
    expect(capHash(shuffled)).toBe(capHash(payload));
  });
});

describe("verifyCap", () => {
  test("accepts what node:crypto signs, by PEM and by SEC1 key, whether s is low or high", () => {
    const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
    const halves = new Set<boolean>();
    // Half of all signatures have a high s.
    for (let i = 0; i < 200 && halves.size < 2; i++) {
      const token = mint({ ...payload, nonce: `n-${i}` });
      const s = BigInt(
        `0x${Buffer.from(token.broker_sig, "base64url").subarray(32).toString("hex")}`,
      );
      if (halves.has(s > order / 2n)) continue;
      halves.add(s > order / 2n);
      expect(verifyCap(token, pem)).toBe(true);
      expect(verifyCap(token, sec1)).toBe(true);
    }
    expect(halves.size).toBe(2);
  });

  test("a single hash is refused: the digest is hashed again", () => {
    const signature = sign("sha256", utf8ToBytes(capPayloadJson(payload)), {
      key: privateKey,
      dsaEncoding: "ieee-p1363",
    });
    expect(verifyCap({ payload, broker_sig: signature.toString("base64url") }, pem)).toBe(false);
  });

  test("another key and every malformed signature are refused without a throw", () => {
    const token = mint(payload);
    const other = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey;
    expect(verifyCap(token, other.export({ type: "spki", format: "pem" }) as string)).toBe(false);
    const { broker_sig } = token;
    const forged = [
      "",
      "in-memory-signature",
      broker_sig.slice(1),
      `${broker_sig}=`,
      "A".repeat(86),
      "_".repeat(86),
    ];
    for (const wrong of forged)
      expect(verifyCap({ payload, broker_sig: wrong }, pem), wrong).toBe(false);
  });

  test("a key that is not P-256 throws", () => {
    const ed = generateKeyPairSync("ed25519").publicKey.export({
      type: "spki",
      format: "pem",
    }) as string;
    const k1 = generateKeyPairSync("ec", { namedCurve: "secp256k1" }).publicKey.export({
      type: "spki",
      format: "pem",
    }) as string;
    for (const key of [ed, k1, "", "-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----"]) {
      expect(() => verifyCap(mint(payload), key)).toThrow(Error);
    }
    const secret = createPrivateKey(privateKey.export({ type: "sec1", format: "pem" }));
    expect(createPublicKey(secret).equals(publicKey)).toBe(true);
  });
});

describe("CapToken", () => {
  test("drops what it does not know and keeps the proof of possession", () => {
    const token = { ...mint(payload), client_sig: null, client_nonce: "00", extra: { secret: 1 } };
    const parsed = CapToken.parse({
      ...token,
      payload: { ...payload, namespaces_allowed: ["travel"] },
    });
    expect(parsed).toEqual({
      payload,
      broker_sig: token.broker_sig,
      client_sig: null,
      client_nonce: "00",
    });
  });

  test.each([
    { k3_epoch: -1 },
    { issued_at: 1.5 },
    { expires_at: "1" },
    { nonce: undefined },
    { op: null },
  ])("%o is no payload", (change) => {
    expect(CapPayload.safeParse({ ...payload, ...change }).success).toBe(false);
  });
});

test("eleven ops, each with its payload op and data class", () => {
  expect(Object.keys(capOps)).toHaveLength(11);
  expect(capOps.memory_get).toEqual({ op: "fetch", data_class: "memory" });
  expect(capOps.cred_store).toEqual({ op: "store", data_class: "credentials" });
});

test("debugName spells as upstream's refusals do", () => {
  expect(["store", "memory_get", "canonical_fetch", "credentials"].map(debugName)).toEqual([
    "Store",
    "MemoryGet",
    "CanonicalFetch",
    "Credentials",
  ]);
});

test("clampTtl", () => {
  expect([clampTtl(), clampTtl(1), clampTtl(60), clampTtl(99_999), clampTtl(0)]).toEqual([
    300, 60, 60, 1800, 60,
  ]);
});
