import { createGuard } from "@agentkeys/core";
import { mockAuthority } from "@agentkeys/testing";
import { scriptedModel } from "@agentkeys/testing/ai-sdk";
import {
  dynamicTool,
  experimental_toolCaller as toolCaller,
  tool,
  ToolLoopAgent,
  type ToolSet,
} from "ai";
import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { agentKeysTools, guardTools, withAgentKeys } from "./index.ts";

const inputSchema = z.object({});
const execute = async () => "done";
const plain = tool({ inputSchema, execute });
const tools = {
  order_food: plain,
  code: toolCaller(plain, { type: "local", bind: () => plain }),
  files_read: { ...dynamicTool({ inputSchema, execute }), metadata: { clientName: "files" } },
  late: dynamicTool({ inputSchema, execute }),
  dialog: tool({ inputSchema, outputSchema: z.string() }),
} satisfies ToolSet;
const web_search: ToolSet[string] = {
  type: "provider",
  id: "mock.web_search",
  isProviderExecuted: true,
  args: {},
  inputSchema,
  outputSchema: z.unknown(),
};
const model = scriptedModel(["done"]);

async function open() {
  const authority = await mockAuthority();
  onTestFinished(() => authority.close());
  const rows = { order_food: { scope: "payment.spend" }, order_fodo: { scope: "payment.spend" } };
  const guard = createGuard({ client: authority.client(), tools: rows });
  const hows = async (target: unknown) =>
    (await guard.coverage(target)).tools.map(({ path, how }) => `${path}: ${how}`);
  return { guard, hows };
}

test("tools that nobody guards are told apart", async () => {
  const { guard, hows } = await open();
  expect(
    await hows({ ...tools, web_search, ...agentKeysTools(guard.client, { only: ["cap_mint"] }) }),
  ).toEqual([
    "order_food: raw",
    "code: code-mode",
    "files_read: mcp",
    "late: dynamic",
    "dialog: raw",
    "web_search: provider-executed",
    "agentkeys_cap_mint: agentkeys",
  ]);
});

test("of an agent and its configuration too, and rows that govern nothing are named", async () => {
  const { guard, hows } = await open();
  const config = withAgentKeys(guard, { model, tools: { ...tools, web_search } }, { tools: false });
  const governed = [
    "tools.order_food: guarded",
    "tools.code: guarded",
    "tools.files_read: guarded",
    "tools.late: guarded",
    // The seam decides whether the call goes out.
    "tools.dialog: guarded",
    "tools.web_search: provider-executed",
  ];
  expect(await hows(config)).toEqual(governed);
  expect(await hows(new ToolLoopAgent(config))).toEqual(governed);
  expect((await guard.coverage(config)).unused).toEqual(["order_fodo"]);
  expect((await guard.coverage(guardTools(guard, tools))).unused).toEqual(["order_fodo"]);
});

test("what is replaced afterwards counts as what it is", async () => {
  const { guard, hows } = await open();
  const config = withAgentKeys(guard, { model, tools }, { tools: false });
  const { dialog, late } = tools;
  const agent = new ToolLoopAgent({
    ...config,
    toolApproval: () => undefined,
    tools: { late, dialog },
  });
  expect(await hows(agent)).toEqual(["tools.late: dynamic", "tools.dialog: raw"]);
});

test("what is no agent, no configuration and no tools is an error", async () => {
  const { guard } = await open();
  for (const target of [
    undefined,
    "x",
    { model: 1, tools: 2 },
    [{}],
    { tools, workflows: {} },
    { tools: {}, agents: {} },
  ]) {
    await expect(guard.coverage(target)).rejects.toMatchObject({ code: "config_invalid" });
  }
});

test("strict starts with what is governed, and with nothing else", async () => {
  const { guard } = await open();
  const strict = { strict: true };
  withAgentKeys(guard, { model, tools }, strict);
  withAgentKeys(guard, { model }, { ...strict, tools: false });
  expect(() => withAgentKeys(guard, { tools: { ...tools, web_search } }, strict)).toThrow(
    expect.objectContaining({
      code: "config_invalid",
      message: expect.stringMatching("web_search"),
    }),
  );
});
