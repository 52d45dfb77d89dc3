import { mockAuthority } from "@agentkeys/testing";
import { answersRead, scriptedModel } from "@agentkeys/testing/ai-sdk";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
// #region readme
import { withAgentKeys } from "@agentkeys/ai-sdk";
import { createClient, createGuard } from "@agentkeys/core";
import { tool, ToolLoopAgent } from "ai";
import { z } from "zod";
// #endregion
// #region approvals
import type { ModelMessage } from "ai";
// #endregion
// #region by-hand
import { agentKeysApproval, agentKeysTools, guardTools } from "@agentkeys/ai-sdk";
import { generateText, isStepCount } from "ai";
// #endregion

const authority = await mockAuthority({
  actor: { scopes: { "payment.spend": { currency: "RMB", per_call: 500, ask_above: 300 } } },
});
const ordered: unknown[] = [];
const placeOrder = async (dish: string, price: number): Promise<string> => {
  ordered.push({ dish, price });
  return `${dish} is on its way`;
};
const order = (price: number) => [{ name: "order_food", input: { dish: "hotpot", price } }];
const denial =
  "Denied by AgentKeys: daily_spend_cap_exceeded (cap=500, requested=600, period=daily)";

beforeAll(async () => {
  for (const [name, value] of Object.entries(await authority.env())) vi.stubEnv(name, value);
});

beforeEach(() => {
  ordered.length = 0;
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await authority.close();
});

test("the whole guard", async () => {
  const model = scriptedModel([order(600), order(200), "Your hotpot is on its way."]);
  // #region readme
  await using client = createClient(); // url, token and identity from AGENTKEYS_* variables
  const guard = createGuard({
    client,
    tools: { order_food: { scope: "payment.spend", params: (i) => ({ amount_rmb: i["price"] }) } },
  });
  const orderFood = tool({
    description: "Orders a dish.",
    inputSchema: z.object({ dish: z.string(), price: z.number() }),
    execute: ({ dish, price }) => placeOrder(dish, price),
  });

  const agent = new ToolLoopAgent(
    withAgentKeys(guard, { model, tools: { order_food: orderFood } }),
  );
  const { text } = await agent.generate({ prompt: "A hotpot, please." });
  // #endregion
  expect(text).toBe("Your hotpot is on its way.");
  expect(ordered).toEqual([{ dish: "hotpot", price: 200 }]);
  expect(answersRead(model)).toMatchObject([{ refused: true, text: denial }, { refused: false }]);
});

test("by hand", async () => {
  const model = scriptedModel([
    [...order(600), { name: "agentkeys_memory_get", input: { namespace: "family" } }],
    "No.",
  ]);
  await using client = createClient();
  const guard = createGuard({
    client,
    tools: { order_food: { scope: "payment.spend", params: (i) => ({ amount_rmb: i["price"] }) } },
  });
  const orderFood = tool({
    inputSchema: z.object({ dish: z.string(), price: z.number() }),
    execute: ({ dish, price }) => placeOrder(dish, price),
  });
  // #region by-hand
  const { text } = await generateText({
    model,
    prompt: "A hotpot, please.",
    tools: { ...agentKeysTools(client), ...guardTools(guard, { order_food: orderFood }) },
    toolApproval: agentKeysApproval(guard),
    stopWhen: isStepCount(20),
  });
  // #endregion
  expect(text).toBe("No.");
  expect(ordered).toEqual([]);
  expect(answersRead(model)).toMatchObject([
    { text: denial, refused: true },
    { text: expect.stringContaining("namespace_violation"), refused: false },
  ]);
});

test("a person decides", async () => {
  const model = scriptedModel([order(400), "Your hotpot is on its way."]);
  const operator = authority.operator();
  await using client = createClient();
  const guard = createGuard({
    client,
    tools: { order_food: { scope: "payment.spend", params: (i) => ({ amount_rmb: i["price"] }) } },
  });
  const orderFood = tool({
    inputSchema: z.object({ dish: z.string(), price: z.number() }),
    execute: ({ dish, price }) => placeOrder(dish, price),
  });
  const agent = new ToolLoopAgent(
    withAgentKeys(guard, { model, tools: { order_food: orderFood } }),
  );
  // #region approvals
  const messages: ModelMessage[] = [{ role: "user", content: "A hotpot for 400, please." }];
  const run = await agent.generate({ messages });
  messages.push(...run.responseMessages); // plain JSON: whoever goes on may be another process
  const asked = run.content.filter((part) => part.type === "tool-approval-request");

  for (const { toolCall } of asked) {
    // A person decides at the authority; here with the operator's token, in one go.
    const [approval] = await operator.approvals.list({ callId: toolCall.toolCallId });
    if (approval) await operator.approvals.approve(approval, { reason: "lunch", by: "ann" });
  }

  const yes = asked.map(({ approvalId }) => {
    return { type: "tool-approval-response" as const, approvalId, approved: true };
  });
  messages.push({ role: "tool", content: yes }); // resumes the run, and grants nothing
  const { text } = await agent.generate({ messages });
  // #endregion
  expect(text).toBe("Your hotpot is on its way.");
  expect(ordered).toEqual([{ dish: "hotpot", price: 400 }]);
  // #region coverage
  const { tools, unused } = await guard.coverage(agent);
  // tools: [{ name: "order_food", how: "guarded", path: "tools.order_food" }, …]
  // unused: rows of the guard that govern nothing here, a misspelt name say
  // #endregion
  expect(tools).toContainEqual({
    name: "order_food",
    how: "guarded",
    path: "tools.order_food",
  });
  expect(unused).toEqual([]);
});
