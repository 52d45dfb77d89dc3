import { expect, test } from "vitest";
import { actor, device, open, operator, other } from "../testdata/harness.test-kit.ts";

test("a credential is stored in the operator's vault and fetched back", async () => {
  const { ok, records } = await open();
  const stored = await ok("cred.store", { service: "OpenRouter", content: "sk-secret" });
  const s3_key = `bots/${operator.slice(2)}/credentials/openrouter.enc`;
  expect(stored).toEqual({ ok: true, service: "OpenRouter", s3_key, envelope_size: 9 + 29 });
  const fetched = await ok("cred.fetch", { service: "openrouter" });
  expect(fetched).toEqual({ ok: true, service: "openrouter", content: "sk-secret" });
  const all = await records();
  expect(all).toMatchObject([
    { op: "cred.store", result: 0, actor, operator, body: { service: "openrouter" } },
    { op: "cred.fetch", result: 0, actor, operator, body: { service: "openrouter" } },
  ]);
  expect(JSON.stringify(all)).not.toContain("sk-secret");
});

test.each([
  ["a service that it was not given", { service: "stripe", content: "x" }, actor],
  ["no scope at all", { service: "openrouter", content: "x", actor: other }, other],
])("an actor with %s is refused and recorded", async (_, args, as) => {
  const { call, records } = await open();
  for (const tool of ["cred.store", "cred.fetch"]) {
    const { error } = await call(tool, args, { as });
    expect(error?.message).toContain("service_not_in_scope");
  }
  expect((await records()).map(({ op, result }) => [op, result])).toEqual([
    ["cred.store", 2],
    ["cred.fetch", 2],
  ]);
});

test("one that was never stored has upstream's text, and our code beside it", async () => {
  const { call, records } = await open();
  const { error } = await call("cred.fetch", { service: "openrouter" });
  const detail = {
    error: `s3 GetObject failed for 1 vault candidate(s): operator(${operator})=NoSuchKey`,
    reason: "s3_get",
  };
  const message = `cred_fetch failed: backend HTTP error (502): ${JSON.stringify(detail)}`;
  expect(error).toEqual({ code: -32000, message, data: { code: "not_found" } });
  expect(await records()).toMatchObject([{ op: "cred.fetch", result: 1 }]);
});

test("arguments are judged in upstream's order: the mismatch comes second", async () => {
  const { rpc } = await open({ bare: true });
  const error = async (args: object) => {
    const answer = await rpc("tools/call", { name: "agentkeys.cred.store", arguments: args });
    return answer.error?.message ?? "";
  };
  expect(await error({})).toMatch(/^missing `actor` and no MCP_DEFAULT_ACTOR configured/);
  expect(await error({ actor: other })).toMatch(/^actor mismatch: /);
  expect(await error({ actor })).toBe("missing `service`");
  expect(await error({ actor, service: "s" })).toMatch(/^missing `device_key_hash`/);
  expect(await error({ actor, service: "s", device_key_hash: device })).toBe("missing `content`");
});

test("without a configuration the default operator is the actor itself", async () => {
  const { ok } = await open({ bare: true });
  const mine = { actor, device_key_hash: device, operator_omni: undefined, service: "s" };
  await ok("cred.store", { ...mine, content: "x" });
  expect(await ok("cred.fetch", { ...mine, operator_omni: actor })).toMatchObject({ content: "x" });
});

test("they are no model's tools: absent from tools/list, and from v1 altogether", async () => {
  const { rpc } = await open();
  const { result = {} } = await rpc("tools/list");
  const names = (result["tools"] as unknown as { name: string }[]).map(({ name }) => name);
  expect(names).toHaveLength(7);
  expect(names.filter((name) => name.includes("cred"))).toEqual([]);
});
