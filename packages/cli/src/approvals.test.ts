import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Approval, createClient, createGuard } from "@agentkeys/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { folder, run, type Running, stay } from "./cli-process.test-kit.ts";

const actor = `0x${"a0".repeat(32)}`;
const operator = `0x${"07".repeat(32)}`;
const env = { VENDOR: "cli-vendor-token", OPERATOR: "cli-operator-token" };
const config = `
vendors:
  cli: { token: env:VENDOR }
operators:
  "${operator}": { token: env:OPERATOR }
actors:
  "${actor}":
    operator: "${operator}"
    vendor: cli
    scopes:
      payment.spend: { currency: RMB, per_call: 500, ask_above: 300 }
`;

let serve: Running;
let url: string;
let asOperator: Record<string, string>;
const dir = folder();

beforeAll(async () => {
  const file = join(dir.path, "agentkeys.yaml");
  writeFileSync(file, config);
  const args = [
    "serve",
    "--listen",
    "127.0.0.1:0",
    "--data",
    join(dir.path, "d"),
    "--config",
    file,
  ];
  serve = await stay(args, { env, on: "stderr", until: "/mcp\n" });
  url = /http:\S+/.exec(serve.seen)?.[0] ?? "";
  asOperator = { AGENTKEYS_MCP_URL: url, AGENTKEYS_OPERATOR_TOKEN: env.OPERATOR };
});

afterAll(async () => {
  await serve.stop();
  dir[Symbol.dispose]();
});

const guardOf = () => {
  const client = createClient({
    url,
    token: env.VENDOR,
    actor,
    operator,
    deviceKeyHash: `0x${"de".repeat(32)}`,
  });
  return createGuard<{ pay: { price: number; note: string } }>({
    client,
    tools: { pay: { scope: "payment.spend", params: ({ price }) => ({ amount_rmb: price }) } },
  });
};

const pending = async (): Promise<Approval[]> => {
  const { stdout } = await run(["approvals", "list", "--json"], { env: asOperator });
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Approval);
};

test("list, approve what was read, run once", async () => {
  const guard = guardOf();
  await using _client = guard.client;
  let paid = 0;
  const pay = (callId: string) =>
    guard.run({ tool: "pay", input: { price: 400, note: "n" }, callId }, () => (paid += 1));
  expect(await pay("first")).toMatchObject({ status: "asked" });
  const [approval] = await pending();
  expect(approval).toMatchObject({ tool: "pay", params: { amount_rmb: 400 }, status: "pending" });
  const id = approval?.id ?? "";

  const unread = await run(["approvals", "approve", id], { env: asOperator });
  expect(unread).toMatchObject({ code: 2, stdout: "" });
  expect(unread.stderr).toContain(approval?.digest);
  const wrong = ["approvals", "approve", id, "--digest", `0x${"00".repeat(32)}`];
  expect(await run(wrong, { env: asOperator })).toMatchObject({ code: 1, stdout: "" });
  expect(await pay("first")).toMatchObject({ status: "asked" });
  expect(paid).toBe(0);

  const right = ["approvals", "approve", id, "--digest", approval?.digest ?? "", "--by", "ada"];
  expect(await run(right, { env: asOperator })).toMatchObject({ code: 0 });
  expect(await pay("first")).toMatchObject({ status: "ran" });
  expect(paid).toBe(1);
  expect(await pay("first")).not.toMatchObject({ status: "ran", replayed: undefined });
  expect(paid).toBe(1);

  const again = await run([...right, "--json"], { env: asOperator });
  expect(again.code).toBe(1);
  expect(again.stderr).toContain("ada");
});

test("deny", async () => {
  const guard = guardOf();
  await using _client = guard.client;
  const call = { tool: "pay", input: { price: 450, note: "n" }, callId: "second" };
  expect(await guard.run(call, () => 1)).toMatchObject({ status: "asked" });
  const [approval] = await pending();
  const args = ["approvals", "deny", approval?.id ?? "", "--digest", approval?.digest ?? ""];
  const denied = await run([...args, "--reason", "too dear"], { env: asOperator });
  expect(denied).toMatchObject({ code: 0, stdout: expect.stringContaining("denied") });
  expect(await guard.run(call, () => 1)).toMatchObject({
    status: "denied",
    explanation: expect.stringContaining("too dear"),
  });
  expect(await pending()).toEqual([]);
});

test("an agent's token lists nothing and decides nothing", async () => {
  const guard = guardOf();
  await using _client = guard.client;
  await guard.run({ tool: "pay", input: { price: 350, note: "n" }, callId: "third" }, () => 1);
  const [approval] = await pending();
  const asAgent = { ...asOperator, AGENTKEYS_OPERATOR_TOKEN: env.VENDOR };
  const args = ["approvals", "approve", approval?.id ?? "", "--digest", approval?.digest ?? ""];
  expect(await run(args, { env: asAgent })).toMatchObject({ code: 1, stdout: "" });
  expect((await pending()).map(({ status }) => status)).toEqual(["pending"]);
});

test.each([
  ["--status", ["list", "--status", "some"]],
  ["--remember", ["approve", "apr_1", "--digest", "0x", "--remember", "all"]],
  ["--for", ["approve", "apr_1", "--digest", "0x", "--remember", "tool", "--for", "all"]],
  ["--ttl", ["approve", "apr_1", "--digest", "0x", "--remember", "tool", "--ttl", "0"]],
])("wrong usage of %s", async (_what, args) => {
  expect(await run(["approvals", ...args], { env: asOperator })).toMatchObject({ code: 2 });
});

test("coverage of a module's agents", async () => {
  const core = import.meta.resolve("@agentkeys/core");
  const module = join(dir.path, "agents.mjs");
  writeFileSync(
    module,
    `import { createClient, createGuard, registerInspector } from ${JSON.stringify(core)};
     registerInspector({
       name: "test",
       inspect: (x) => (Array.isArray(x) ? x.map((f) => ({ name: f.name, object: f })) : undefined),
     });
     export const guard = createGuard({
       client: createClient(),
       tools: { pay: { scope: "payment.spend" }, misspelt: { scope: "web.search" } },
     });
     function pay() {}
     function leak() {}
     export const agents = [guard.wrap("pay", pay), leak];`,
  );
  const shown = await run(["coverage", module, "--json"]);
  expect(shown.stderr).toBe("");
  expect(JSON.parse(shown.stdout)).toMatchObject({
    tools: [
      { name: "pay", how: "guarded" },
      { name: "leak", how: "raw" },
    ],
    unused: ["misspelt"],
  });
  expect(await run(["coverage", module, "--strict"])).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/raw +leak/),
    stderr: expect.stringContaining("misspelt"),
  });
  expect(await run(["coverage", join(dir.path, "missing.mjs")])).toMatchObject({ code: 1 });
});

test("coverage of several agents, by the names under which the module exports them", async () => {
  const core = import.meta.resolve("@agentkeys/core");
  const module = join(dir.path, "several.mjs");
  writeFileSync(
    module,
    `import { createClient, createGuard } from ${JSON.stringify(core)};
     export const guard = createGuard({
       client: createClient(),
       tools: { pay: { scope: "payment.spend" }, find: { scope: "web.search" }, misspelt: { scope: "x" } },
     });
     const pay = guard.wrap("pay", function pay() {});
     const find = guard.wrap("find", function find() {});
     export const agents = { buyer: { pay }, clerk: [find, function leak() {}] };`,
  );
  const shown = await run(["coverage", module, "--json"]);
  expect(JSON.parse(shown.stdout)).toEqual({
    tools: [
      { name: "pay", how: "guarded", path: "buyer.pay" },
      { name: "find", how: "guarded", path: "clerk.find" },
      { name: "leak", how: "raw", path: "clerk.leak" },
    ],
    unused: ["misspelt"],
  });
});
