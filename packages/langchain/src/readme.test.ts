import { createAuthority } from "@agentkeys/server";
import { answersRead, scriptedModel } from "@agentkeys/testing/langchain";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
// #region readme
import { createClient, createGuard } from "@agentkeys/core";
import { withAgentKeys } from "@agentkeys/langchain";
import { createAgent, tool } from "langchain";
import { z } from "zod";
// #endregion
// #region approvals
import { createOperator } from "@agentkeys/core";
import type { ApprovalInterrupt } from "@agentkeys/langchain";
import { Command, INTERRUPT, isInterrupted, MemorySaver } from "@langchain/langgraph";
// #endregion
// #region by-hand
import { agentKeysMiddleware, agentKeysTools, guardTools } from "@agentkeys/langchain";
// #endregion

const actor = `0x${"a0".repeat(32)}`;
const operatorOmni = `0x${"07".repeat(32)}`;
const authority = await createAuthority({
  data: ":memory:",
  env: {},
  config: {
    vendors: { shop: { token: "value:vendor-token" } },
    operators: { [operatorOmni]: { token: "value:operator-token" } },
    actors: {
      [actor]: {
        operator: operatorOmni,
        vendor: "shop",
        namespaces: ["travel"],
        scopes: {
          "memory.read": "allow",
          "payment.spend": { currency: "RMB", per_call: 500, ask_above: 300 },
        },
      },
    },
  },
});
const ordered: unknown[] = [];
const placeOrder = (dish: string, price: number): Promise<string> => {
  ordered.push({ dish, price });
  return Promise.resolve(`${dish} is on its way`);
};
const order = (price: number) => ({ name: "order_food", input: { dish: "hotpot", price } });
const denial =
  "Denied by AgentKeys: daily_spend_cap_exceeded (cap=500, requested=600, period=daily)";
beforeAll(async () => {
  const { url } = await authority.listen();
  vi.stubEnv("AGENTKEYS_MCP_URL", url);
  vi.stubEnv("AGENTKEYS_MCP_VENDOR_TOKEN", "vendor-token");
  vi.stubEnv("AGENTKEYS_ACTOR_OMNI", actor);
  vi.stubEnv("AGENTKEYS_OPERATOR_OMNI", operatorOmni);
  vi.stubEnv("AGENTKEYS_OPERATOR_TOKEN", "operator-token");
  vi.stubEnv("AGENTKEYS_DEVICE_KEY_HASH", `0x${"de".repeat(32)}`);
});

beforeEach(() => {
  ordered.length = 0;
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await authority.close();
});

test("the whole guard", async () => {
  const model = scriptedModel([[order(600)], [order(200)], "Your hotpot is on its way."]);
  // #region readme
  await using client = createClient(); // url, token and identity from AGENTKEYS_* variables
  const guard = createGuard({
    client,
    tools: { order_food: { scope: "payment.spend", params: (i) => ({ amount_rmb: i["price"] }) } },
  });
  const orderFood = tool(({ dish, price }) => placeOrder(dish, price), {
    name: "order_food",
    description: "Orders a dish.",
    schema: z.object({ dish: z.string(), price: z.number() }),
  });

  const agent = createAgent(withAgentKeys(guard, { model, tools: [orderFood] }));
  const { messages } = await agent.invoke({ messages: "A hotpot, please." });
  // #endregion
  expect(messages.at(-1)?.text).toBe("Your hotpot is on its way.");
  expect(ordered).toEqual([{ dish: "hotpot", price: 200 }]);
  expect(answersRead(model)).toMatchObject([
    { refused: true, text: denial },
    { refused: false, text: "hotpot is on its way" },
  ]);
});

test("by hand", async () => {
  const family = { name: "agentkeys_memory_get", input: { namespace: "family" } };
  const model = scriptedModel([[order(600), family], "No."]);
  await using client = createClient();
  const guard = createGuard({
    client,
    tools: { order_food: { scope: "payment.spend", params: (i) => ({ amount_rmb: i["price"] }) } },
  });
  const orderFood = tool(({ dish, price }) => placeOrder(dish, price), {
    name: "order_food",
    description: "Orders a dish.",
    schema: z.object({ dish: z.string(), price: z.number() }),
  });
  // #region by-hand

  const agent = createAgent({
    model,
    tools: [...agentKeysTools(client), ...guardTools(guard, [orderFood])],
    middleware: [agentKeysMiddleware(guard)], // after the others
  });
  // #endregion
  await agent.invoke({ messages: "A hotpot, please." });
  expect(ordered).toEqual([]);
  expect(answersRead(model)).toMatchObject([
    { refused: true, text: denial },
    { refused: false, text: expect.stringContaining("namespace_violation") },
  ]);
});

test("approvals", async () => {
  const model = scriptedModel([[order(400)], "Enjoy."]);
  const printed: unknown[] = [];
  const print = (line: unknown) => void printed.push(line);
  await using client = createClient();
  const guard = createGuard<{ order_food: { dish: string; price: number } }>({
    client,
    tools: {
      order_food: {
        scope: "payment.spend",
        params: ({ price }) => ({ amount_rmb: price }),
        describe: ({ dish, price }) => `Order a ${dish} for ${price} RMB`,
      },
    },
  });
  const orderFood = tool(({ dish, price }) => placeOrder(dish, price), {
    name: "order_food",
    description: "Orders a dish.",
    schema: z.object({ dish: z.string(), price: z.number() }),
  });
  const checkpointer = new MemorySaver();
  // #region approvals

  const agent = createAgent(withAgentKeys(guard, { model, tools: [orderFood], checkpointer }));
  const thread = { configurable: { thread_id: "lunch" } };
  const asked = await agent.invoke({ messages: "A big hotpot, please." }, thread);
  if (isInterrupted<ApprovalInterrupt>(asked)) {
    print(asked[INTERRUPT][0]?.value?.approval.text); // Order a hotpot for 400 RMB
  }

  await using operator = createOperator(); // a person, in another process, with the operator's token
  for (const approval of await operator.approvals.list({ status: "pending" })) {
    await operator.approvals.approve(approval, { reason: "team lunch", by: "ann" });
  }

  const resume = { decisions: [{ type: "approve" }] }; // proves nothing; "reject" takes the ask back
  const { messages } = await agent.invoke(new Command({ resume }), thread);
  // #endregion
  expect(printed).toEqual(["Order a hotpot for 400 RMB"]);
  expect(ordered).toEqual([{ dish: "hotpot", price: 400 }]);
  expect(messages.at(-1)?.text).toBe("Enjoy.");
});

test("coverage", async () => {
  const model = scriptedModel(["No."]);
  const printed: unknown[] = [];
  const print = (line: unknown) => void printed.push(line);
  await using client = createClient();
  const guard = createGuard({
    client,
    tools: { order_food: { scope: "payment.spend" }, order_fod: { scope: "payment.spend" } },
  });
  const orderFood = tool(() => "", {
    name: "order_food",
    description: "Orders a dish.",
    schema: z.object({}),
  });
  const webSearch = { type: "web_search_20250305", name: "web_search" };
  // #region coverage
  const agent = createAgent(withAgentKeys(guard, { model, tools: [orderFood, webSearch] }));
  const { tools, unused } = await guard.coverage(agent); // an agent, a configuration, or tools
  print(tools.filter(({ how }) => how === "provider-executed")); // web_search: nobody here can stop it
  print(unused); // rows that govern nothing: ["order_fod"]
  // #endregion
  expect(printed).toEqual([
    [{ name: "web_search", how: "provider-executed", path: "web_search" }],
    ["order_fod"],
  ]);
});
