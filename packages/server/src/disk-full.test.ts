import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { openDatabase } from "./sqlite/database.ts";
import { createSqliteStore } from "./sqlite/sqlite-store.ts";
import { actor, type Harness, open, operator } from "./testdata/harness.test-kit.ts";

const audit = { operator_omni: operator, op_kind: 1, result: 0 };

function begin({ rpc }: Harness) {
  const input_digest = `0x${"00".repeat(32)}`;
  const call = {
    call_id: "c",
    tool: "order_food",
    scope: "payment.spend",
    params: { amount_rmb: 1 },
    input_digest,
  };
  return rpc("guard/begin", { actor, operator_omni: operator, begin_id: randomUUID(), ...call });
}

/** Fills the last pages, so that the next record finds none. */
async function fill(harness: Harness): Promise<void> {
  for (let i = 0; ; i++) {
    const op_body = { i, text: "x".repeat(20_000) };
    const { error } = await harness.call("audit.append", { event: { ...audit, op_body } });
    if (error !== undefined) break;
  }
  for (;;) {
    const { error } = await begin(harness);
    if (error !== undefined) return;
  }
}

test("on a full disk nothing is allowed, nothing is kept, and nothing is said beyond that", async () => {
  const database = openDatabase(":memory:");
  const store = await createSqliteStore(database, Date.now, () => undefined);
  const harness = await open({ store });
  await harness.ok("permission.check", { scope: "web.search" });
  const size = Number(database.prepare("PRAGMA page_count").get()?.["page_count"]);
  database.exec(`PRAGMA max_page_count = ${size + 30}`);
  await fill(harness);
  const before = await harness.records();

  const full = { code: -32000, message: "audit_append failed: database or disk is full" };
  expect((await begin(harness)).error).toEqual(full);
  const big = "x".repeat(20_000);
  const writes: [string, object][] = [
    ["audit.append", { event: { ...audit, op_body: { big } } }],
    ["permission.check", { scope: big }],
    ["memory.put", { namespace: "travel", content: big }],
    ["cred.store", { service: "openrouter", content: big }],
  ];
  for (const [tool, args] of writes)
    expect((await harness.call(tool, { ...args })).error).toEqual(full);
  const route = await harness.http("POST", "/v1/audit/append/v2", {
    token: "demo-tok",
    as: actor,
    json: { version: 1, actor_omni: actor, ...audit, op_body: { big } },
  });
  expect([route.status, JSON.parse(route.text)]).toEqual([
    502,
    { error: full.message, reason: "audit_unavailable" },
  ]);
  expect(await harness.records()).toEqual(before);

  database.exec("PRAGMA max_page_count = 100000");
  expect((await begin(harness)).result).toMatchObject({ verdict: "accept" });
  const { error } = await harness.call("memory.get", { namespace: "travel" });
  expect(error?.message).toContain("no memory in namespace `travel`");
});
