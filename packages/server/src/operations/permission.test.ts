import { bytesToHex0x, encodeCanonical, keccak256 } from "@agentkeys/contract";
import { expect, test } from "vitest";
import { actor, open, operator } from "../testdata/harness.test-kit.ts";

const pay = (amount_rmb: unknown) => ({ scope: "payment.spend", params: { amount_rmb } });

test("every check is recorded with a digest of its params, and denials as such", async () => {
  const { ok, records } = await open();
  expect(await ok("permission.check", pay(200))).toMatchObject({ verdict: "accept" });
  expect(await ok("permission.check", pay(400))).toMatchObject({ verdict: "ask_parent" });
  expect(await ok("permission.check", pay(600))).toEqual({
    verdict: "deny",
    scope: "payment.spend",
    reason: "daily_spend_cap_exceeded",
    explanation: "cap=500, requested=600, period=daily",
  });
  const digest = (amount: number) =>
    bytesToHex0x(keccak256(encodeCanonical({ amount_rmb: amount })));
  expect(await records()).toMatchObject([
    {
      op: "permission.check",
      result: 0,
      actor,
      operator,
      body: { verdict: "accept", params_digest: digest(200) },
    },
    {
      op: "permission.check",
      result: 2,
      body: { verdict: "ask_parent", reason: "above_ask_threshold" },
    },
    {
      op: "permission.check",
      result: 2,
      body: { verdict: "deny", scope: "payment.spend", params_digest: digest(600) },
    },
  ]);
});

test("without a configuration the built-in table decides, recorded all the same", async () => {
  const { ok, records } = await open({ bare: true });
  expect(await ok("permission.check", { scope: "memory.read" })).toMatchObject({
    verdict: "accept",
  });
  expect(await ok("permission.check", { scope: "web.search" })).toMatchObject({ verdict: "deny" });
  expect(await records()).toHaveLength(2);
});

test("v1 records no check", async () => {
  const { ok, records } = await open({ bare: true, surface: "v1" });
  await ok("permission.check", pay(200));
  expect(await records()).toEqual([]);
});

test("an actor whose omni is none cannot be recorded, so it is not answered", async () => {
  const { call } = await open({ bare: true });
  const { error } = await call(
    "permission.check",
    { actor: "0xab", scope: "memory.read" },
    { as: "0xab" },
  );
  expect(error).toEqual({
    code: -32602,
    message: "actor_omni must be 66 chars (0x + 64 hex), got 4",
  });
});
