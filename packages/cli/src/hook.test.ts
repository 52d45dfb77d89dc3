import { createAuthority } from "@agentkeys/server";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "./cli-process.test-kit.ts";

const actor = `0x${"a0".repeat(32)}`;
const operator = `0x${"07".repeat(32)}`;

let authority: Awaited<ReturnType<typeof createAuthority>>;
let env: Record<string, string>;

beforeAll(async () => {
  authority = await createAuthority({
    data: ":memory:",
    env: { MCP_VENDOR_TOKENS: "magiclick:demo-tok", MCP_DEFAULT_OPERATOR_OMNI: operator },
  });
  const { url } = await authority.listen({ port: 0 });
  env = {
    AGENTKEYS_MCP_URL: url,
    AGENTKEYS_MCP_VENDOR_TOKEN: "demo-tok",
    AGENTKEYS_ACTOR_OMNI: actor,
    AGENTKEYS_OPERATOR_OMNI: operator,
  };
});
afterAll(() => authority.close());

const check = ["hook", "check", "--scope", "payment.spend"];
const pre = (tool_input?: unknown) => ({
  hook_event_name: "PreToolUse",
  tool_name: "pay",
  tool_input,
});

async function answer(
  args: string[],
  stdin: string,
  more: Record<string, string> = {},
): Promise<unknown> {
  const { code, stdout } = await run(args, { env: { ...env, ...more }, stdin });
  expect(code).toBe(0);
  expect(stdout.endsWith("\n")).toBe(true);
  return JSON.parse(stdout);
}

test.each([
  ["within the cap", JSON.stringify(pre({ amount_rmb: 200 })), {}],
  [
    "over the cap",
    JSON.stringify(pre({ amount_rmb: 600 })),
    { decision: "block", reason: "daily_spend_cap_exceeded: cap=500, requested=600, period=daily" },
  ],
  [
    "no tool_input",
    "{}",
    { decision: "block", reason: "missing_amount: payment.spend requires `amount_rmb` in params" },
  ],
  [
    "a number keeps its text: 200.0 is no whole number",
    '{"tool_input":{"amount_rmb":200.0}}',
    { decision: "block", reason: "missing_amount: payment.spend requires `amount_rmb` in params" },
  ],
  [
    "a number beyond 2^53 keeps its digits",
    '{"tool_input":{"amount_rmb":18446744073709551615}}',
    {
      decision: "block",
      reason: "daily_spend_cap_exceeded: cap=500, requested=18446744073709551615, period=daily",
    },
  ],
])("check: %s", async (_, stdin, expected) => {
  expect(await answer(check, stdin)).toEqual(expected);
});

test.each([
  [
    "no server",
    check,
    JSON.stringify(pre({ amount_rmb: 1 })),
    { AGENTKEYS_MCP_URL: "http://127.0.0.1:1/mcp" },
  ],
  [
    "a wrong token",
    check,
    JSON.stringify(pre({ amount_rmb: 1 })),
    { AGENTKEYS_MCP_VENDOR_TOKEN: "nope" },
  ],
  [
    "a missing variable",
    check,
    JSON.stringify(pre({ amount_rmb: 1 })),
    { AGENTKEYS_ACTOR_OMNI: "" },
  ],
  ["stdin that is no JSON", check, "certainly", {}],
  ["stdin that is no object", check, "[1]", {}],
  ["an unknown flag", [...check, "--nonsense"], "{}", {}],
])("check blocks, and exits 0, for %s", async (_, args, stdin, more) => {
  expect(await answer(args, stdin, more)).toMatchObject({
    decision: "block",
    reason: expect.stringMatching(/^agentkeys_unreachable: /),
  });
});

test("check blocks, and exits 0, where its input stays open: a host that gives up goes on", async () => {
  const { code, stdout } = await run(check, { env, stdin: null });
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ decision: "block" });
});

test("a hook command without a name blocks and says what is missing", async () => {
  expect(await answer(["hook"], "{}")).toEqual({
    decision: "block",
    reason: "agentkeys_unreachable: expected check or audit",
  });
});

test("check without a scope blocks", async () => {
  expect(await answer(["hook", "check"], "{}")).toMatchObject({ decision: "block" });
});

test("audit records the tool, its call id and whether it failed, never its input", async () => {
  const done = {
    tool_name: "bash",
    tool_use_id: "toolu_7",
    tool_input: { command: "echo s3cret" },
    tool_response: { is_error: true },
  };
  expect(await answer(["hook", "audit"], JSON.stringify(done))).toEqual({});
  const last = (await authority.records()).at(-1);
  const bytes = Buffer.from(last?.bytes ?? []).toString("latin1");
  expect(bytes).toContain("toolu_7");
  expect(bytes).toContain("bash");
  expect(bytes).not.toContain("s3cret");
});

test("audit never blocks, whatever happens", async () => {
  expect(await answer(["hook", "audit"], "nonsense")).toEqual({});
  expect(
    await answer(["hook", "audit"], "{}", { AGENTKEYS_MCP_URL: "http://127.0.0.1:1/mcp" }),
  ).toEqual({});
});
