import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  agentPopPayload,
  addressOf,
  childOmni,
  delegationPayload,
  deviceKeyHash,
  hex32Problem,
  omni,
  recoverEip191,
  serviceHash,
  signEip191,
} from "./omni.ts";

const key = new Uint8Array(32).fill(0x11);

describe("hex32Problem", () => {
  test.each([
    ["", "actor_omni must start with 0x"],
    ["11".repeat(33), "actor_omni must start with 0x"],
    [`0X${"11".repeat(32)}`, "actor_omni must start with 0x"],
    ["0x", "actor_omni must be 66 chars (0x + 64 hex), got 2"],
    [`0x${"11".repeat(33)}`, "actor_omni must be 66 chars (0x + 64 hex), got 68"],
    // Upstream counts bytes.
    [`0x${"é".repeat(33)}`, "actor_omni must be 66 chars (0x + 64 hex), got 68"],
    [`0x${"é".repeat(32)}`, "actor_omni contains non-hex chars"],
    [`0x${"11".repeat(31)}1g`, "actor_omni contains non-hex chars"],
    [`0x${"aB".repeat(32)}`, undefined],
  ])("%s: %s", (value, problem) => {
    expect(hex32Problem("actor_omni", value)).toBe(problem);
  });
});

describe("omni", () => {
  test("an evm address counts in lower case, an email as it is", () => {
    expect(omni("evm", "0xAB")).toBe(omni("evm", "0xab"));
    expect(omni("email", "A@b.c")).not.toBe(omni("email", "a@b.c"));
  });

  test("a child depends on parent and label; the parent's case and 0x make no difference", () => {
    const parent = "ab".repeat(32);
    const child = childOmni(parent, "agent-a");
    expect(childOmni(`0x${parent.toUpperCase()}`, "agent-a")).toBe(child);
    expect(childOmni(parent, "agent-b")).not.toBe(child);
    expect(childOmni(child, "agent-a")).not.toBe(child);
    expect(() => childOmni(parent, "agent-a\n")).toThrow("label must match");
    expect(() => childOmni("xyz", "agent-a")).toThrow(SyntaxError);
  });
});

describe("EIP-191", () => {
  test("what a key signs recovers to its address, for any key and payload", () => {
    const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 });
    const secret = bytes.filter(
      (candidate) => candidate.some((byte) => byte > 0) && (candidate[0] as number) < 0xff,
    );
    fc.assert(
      fc.property(secret, bytes, (privateKey, payload) => {
        const signature = signEip191(privateKey, payload);
        expect(signature).toMatch(/^0x[0-9a-f]{128}1[bc]$/);
        // Low s: the top bit of half the order is clear.
        expect(Number.parseInt(signature.slice(66, 68), 16)).toBeLessThan(0x80);
        expect(recoverEip191(payload, signature)).toBe(addressOf(privateKey));
      }),
      { numRuns: 20 },
    );
  });

  test("another payload recovers to another address or to none", () => {
    const signature = signEip191(key, agentPopPayload(deviceKeyHash(addressOf(key))));
    expect(recoverEip191(new Uint8Array(32), signature)).not.toBe(addressOf(key));
  });

  test.each([
    "",
    "0x",
    `0x${"00".repeat(65)}`,
    `0x${"00".repeat(64)}1b`,
    `0x${"ff".repeat(64)}1c`,
    `${"11".repeat(64)}1b`,
    `0x${"11".repeat(64)}1d`,
  ])("%s recovers to nothing", (signature) => {
    expect(recoverEip191(new Uint8Array(32), signature)).toBeUndefined();
  });

  test("only 32 bytes are signed", () => {
    expect(() => signEip191(key, new Uint8Array(31))).toThrow(RangeError);
  });
});

test("a delegation's scope counts by its words", () => {
  const delegation = {
    device_key_hash: `0x${"11".repeat(32)}`,
    sandbox_pubkey: addressOf(key),
    scope: "memory:get memory:put",
    expires_at: 1,
  };
  const payload = delegationPayload(delegation);
  expect(delegationPayload({ ...delegation, scope: "  Memory:Get \n memory:put " })).toEqual(
    payload,
  );
  expect(delegationPayload({ ...delegation, scope: "memory:put memory:get" })).not.toEqual(payload);
  expect(delegationPayload({ ...delegation, expires_at: 2 })).not.toEqual(payload);
});

test("a service counts in lower case", () => {
  expect(serviceHash("OpenRouter")).toBe(serviceHash("openrouter"));
});
