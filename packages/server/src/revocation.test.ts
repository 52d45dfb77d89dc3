import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openSqliteStore } from "./sqlite/sqlite-store.ts";
import { call as guardedCall } from "./testdata/approvals.test-kit.ts";
import {
  actor,
  device,
  foreign,
  type Harness,
  open,
  operator,
  other,
  otherOperator,
} from "./testdata/harness.test-kit.ts";

const reason = { reason: "lost phone" };

function scratch(): string {
  const data = mkdtempSync(join(tmpdir(), "agentkeys-"));
  onTestFinished(() => rmSync(data, { recursive: true, force: true }));
  return data;
}

function revoke({ http }: Harness, omni: string, token = "operator-tok") {
  return http("POST", `/v1/actors/${omni}/revoke`, { token, json: reason });
}

test("holds from the very next call on, and is recorded", async () => {
  const harness = await open();
  await harness.ok("identity.whoami");
  const { status, text } = await revoke(harness, actor);
  const [row] = await harness.records();
  expect(status).toBe(200);
  expect(JSON.parse(text)).toEqual({
    ok: true,
    actor,
    revoked_at: expect.any(Number) as number,
    envelope_hash: row?.hash,
  });
  expect(row).toMatchObject({
    op: "scope.revoke",
    actor: operator,
    operator,
    body: { agent_omni: actor, ...reason },
  });
  const tools = [
    "identity.whoami",
    "memory.get",
    "memory.put",
    "cap.mint",
    "cap.revoke",
    "audit.append",
    "cred.fetch",
  ];
  for (const tool of tools) {
    const { error } = await harness.call(tool, { namespace: "travel", cap_id: "x" });
    expect(error).toEqual({ code: -32003, message: `actor revoked: ${actor}` });
  }
  const denied = (await harness.records()).slice(1);
  expect(denied.map(({ op, body }) => [op, body["what"]])).toEqual(
    tools.map((tool) => ["access.denied", `agentkeys.${tool}`]),
  );
});

test("check and begin still answer, with a denial that is recorded; an end is still written", async () => {
  const harness = await open();
  const begin_id = randomUUID();
  const call = {
    actor,
    begin_id,
    call_id: "c",
    tool: "t",
    scope: "web.search",
    params: {},
    input_digest: `0x${"00".repeat(32)}`,
  };
  await harness.rpc("guard/begin", call);
  await revoke(harness, actor);
  expect(await harness.ok("permission.check", { scope: "web.search" })).toMatchObject({
    verdict: "deny",
    reason: "actor_revoked",
  });
  const begun = await harness.rpc("guard/begin", { ...call, begin_id: randomUUID() });
  expect(begun.result).toMatchObject({ verdict: "deny", reason: "actor_revoked" });
  const ended = await harness.rpc("guard/end", { actor, begin_id, outcome: "ok" });
  expect(ended.result).toMatchObject({ ok: true });
  const last = (await harness.records()).slice(2).map(({ op, result }) => [op, result]);
  expect(last).toEqual([
    ["permission.check", 2],
    ["guard.intent", 2],
    ["runtime.tool_result", 0],
  ]);
});

test("another spelling of the omni does not help", async () => {
  const harness = await open({ bare: true });
  const upper = `0x${actor.slice(2).toUpperCase()}`;
  await revoke(harness, upper);
  const event = { operator_omni: operator, op_kind: 1, result: 0 };
  for (const as of [actor, upper, actor.slice(2), upper.slice(2)]) {
    for (const [tool, args] of [
      ["identity.whoami", {}],
      ["audit.append", { event }],
    ] as const) {
      const { error } = await harness.call(tool, { ...args, actor: as }, { as });
      expect(error?.message).toBe(`actor revoked: ${as}`);
    }
  }
});

test("repeating it gives the first answer; others go on", async () => {
  const harness = await open();
  const first = await revoke(harness, actor);
  expect((await revoke(harness, actor)).text).toBe(first.text);
  expect(await harness.ok("identity.whoami", { actor: other }, { as: other })).toMatchObject({
    omni: other,
  });
});

test("outlives a restart", async () => {
  const data = mkdtempSync(join(tmpdir(), "agentkeys-"));
  onTestFinished(() => rmSync(data, { recursive: true }));
  const before = await open({ data });
  await revoke(before, actor);
  await before.authority.close();
  const after = await open({ data });
  expect((await after.call("identity.whoami")).error?.message).toBe(`actor revoked: ${actor}`);
});

test("an agent's own token is refused and recorded", async () => {
  const harness = await open();
  const path = `/v1/actors/${other}/revoke`;
  const { status, text } = await harness.http("POST", path, {
    token: "demo-tok",
    as: actor,
    json: reason,
  });
  expect([status, JSON.parse(text)]).toMatchObject([403, { reason: "forbidden" }]);
  const body = { what: `POST ${path}`, reason: "not_an_operator" };
  expect(await harness.records()).toMatchObject([
    { op: "access.denied", result: 2, actor, operator, body },
  ]);
});

test("a vendor cannot have another vendor's actor recorded as the one that tried", async () => {
  const harness = await open();
  const init = { token: "acme-tok", as: actor, json: reason };
  expect((await harness.http("POST", `/v1/actors/${other}/revoke`, init)).status).toBe(403);
  const nobody = `0x${"00".repeat(32)}`;
  expect(await harness.records()).toMatchObject([{ op: "access.denied", actor: nobody }]);
});

test("an operator reaches its own actors only", async () => {
  const harness = await open();
  for (const omni of [foreign, `0x${"ee".repeat(32)}`])
    expect((await revoke(harness, omni)).status).toBe(403);
  expect((await revoke(harness, foreign, "other-operator-tok")).status).toBe(200);
  const rows = await harness.records();
  expect(rows.map(({ op, operator: by }) => [op, by])).toEqual([
    ["access.denied", operator],
    ["access.denied", operator],
    ["scope.revoke", otherOperator],
  ]);
});

test.each([
  ["no bearer", {}, 401],
  ["an unknown bearer", { token: "nope" }, 401],
  [
    "no JSON",
    { token: "operator-tok", body: "{", headers: { "content-type": "application/json" } },
    400,
  ],
  [
    "another type",
    { token: "operator-tok", body: "{}", headers: { "content-type": "text/plain" } },
    415,
  ],
  ["no reason", { token: "operator-tok", json: {} }, 400],
])("%s: %o is %i and revokes nobody", async (_, init, status) => {
  const harness = await open();
  expect((await harness.http("POST", `/v1/actors/${actor}/revoke`, init)).status).toBe(status);
  expect(await harness.ok("identity.whoami")).toMatchObject({ omni: actor });
});

test("something that is no omni is a 400", async () => {
  expect((await revoke(await open(), "0xab")).status).toBe(400);
});

test("without an operator's token every operator route is closed, never open", async () => {
  const env = { MCP_VENDOR_TOKENS: "magiclick:demo-tok", MCP_DEFAULT_OPERATOR_OMNI: operator };
  const harness = await open({ bare: true, env });
  for (const token of ["", "undefined", "operator-tok"])
    expect((await revoke(harness, actor, token)).status).toBe(401);
  expect((await harness.http("GET", "/v1/audit/stream")).status).toBe(401);
});

test("v1 has no such route, but refuses whom the data names as revoked", async () => {
  const data = mkdtempSync(join(tmpdir(), "agentkeys-"));
  onTestFinished(() => rmSync(data, { recursive: true }));
  const before = await open({ data });
  await revoke(before, actor);
  await before.authority.close();
  const v1 = await open({ data, surface: "v1", bare: true });
  expect(await revoke(v1, other)).toMatchObject({ status: 404, text: "" });
  const { error } = await v1.call("memory.get", { namespace: "travel", device_key_hash: device });
  expect(error?.message).toBe(`actor revoked: ${actor}`);
});

test("nothing that was accepted is written after the revocation, whatever comes at the same time", async () => {
  const harness = await open({ data: scratch() });
  const begin = () =>
    harness.rpc("guard/begin", guardedCall({ params: { amount_rmb: 1 }, call_id: randomUUID() }));
  const asked: Promise<unknown>[] = [];
  for (let i = 0; i < 40; i++) {
    asked.push(begin());
    if (i === 20) asked.push(revoke(harness, actor));
    // One has its record on the way to the disk while the next is decided.
    if (i % 3 === 0) await new Promise(setImmediate);
  }
  await Promise.all(asked);
  const words = (await harness.records()).map(({ op, result }) => `${op} ${result}`);
  const at = words.indexOf("scope.revoke 0");
  expect(at).toBeGreaterThan(0);
  expect(words.slice(at + 1)).not.toContain("guard.intent 0");
  expect(words).toContain("guard.intent 2");
});

test("a revocation that could not be written does not hold", async () => {
  const store = await openSqliteStore({ data: ":memory:" });
  const revokeActor = () => Promise.reject(new Error("disk"));
  const harness = await open({ store: { ...store, revokeActor } });
  expect((await revoke(harness, actor)).status).toBe(500);
  await harness.ok("identity.whoami");
});
