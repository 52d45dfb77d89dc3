import { expect, test } from "vitest";
import { actor, device, open, operator } from "../testdata/harness.test-kit.ts";

const event = { operator_omni: operator, op_kind: 1, op_body: { n: 1 }, result: 0 };
const idempotencyKey = "key-1";

test("an Idempotency-Key makes a write happen once, and gives its answer again", async () => {
  const { call, records } = await open();
  const first = await call("audit.append", { event }, { idempotencyKey });
  expect(await call("audit.append", { event }, { idempotencyKey })).toEqual(first);
  expect(await records()).toHaveLength(1);
  const params = { operator_omni: operator, device_key_hash: device };
  const mint = { op: "memory_get", params };
  const minted = await call("cap.mint", mint, { idempotencyKey: "key-2" });
  expect(await call("cap.mint", mint, { idempotencyKey: "key-2" })).toEqual(minted);
  expect(await records()).toHaveLength(2);
});

test("the same key with another call is a conflict, and writes nothing", async () => {
  const { call, records } = await open();
  await call("audit.append", { event }, { idempotencyKey });
  const other = { ...event, op_body: { n: 2 } };
  const refused = { code: -32000, data: { code: "conflict" } };
  expect((await call("audit.append", { event: other }, { idempotencyKey })).error).toMatchObject(
    refused,
  );
  const put = { namespace: "travel", content: "x" };
  expect((await call("memory.put", put, { idempotencyKey })).error).toMatchObject(refused);
  expect(await records()).toHaveLength(1);
});

test("an empty key is none", async () => {
  const { call, records } = await open();
  for (const n of [1, 1, 2]) {
    await call("audit.append", { event: { ...event, op_body: { n } } }, { idempotencyKey: "" });
  }
  expect(await records()).toHaveLength(3);
});

test("a read takes no notice of it", async () => {
  const { call, records } = await open();
  const check = { scope: "web.search" };
  for (const scope of ["web.search", "x"]) {
    expect(
      (await call("permission.check", { ...check, scope }, { idempotencyKey })).error,
    ).toBeUndefined();
  }
  expect(await records()).toHaveLength(2);
});

test("a refused write may be tried again under the same key", async () => {
  const { call } = await open();
  const bad = { event: { ...event, result: 3 } };
  for (const _ of [1, 2]) {
    expect((await call("audit.append", bad, { idempotencyKey })).error?.message).toMatch(
      /unknown result byte/,
    );
  }
});

test("fields that nobody knows change nothing", async () => {
  const { ok } = await open();
  const who = await ok("identity.whoami", {
    admin: true,
    scopes: ["*"],
    vendor: "acme",
    omni: "0x0",
  });
  expect(who).toMatchObject({ omni: actor, vendor: "magiclick" });
});
