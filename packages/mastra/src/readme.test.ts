import { mockAuthority } from "@agentkeys/testing";
import { answersRead, scriptedModel } from "@agentkeys/testing/mastra";
import { InMemoryStore } from "@mastra/core/storage";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
// #region readme
import { createClient, createGuard } from "@agentkeys/core";
import { withAgentKeys } from "@agentkeys/mastra";
import { Agent } from "@mastra/core/agent";
import { createTool } from "@mastra/core/tools";
import { z } from "zod";
// #endregion
// #region approvals
import { createOperator } from "@agentkeys/core";
import { Mastra } from "@mastra/core";
// #endregion
// #region by-hand
import { agentKeysHooks, agentKeysTools, guardTools } from "@agentkeys/mastra";
// #endregion

const authority = await mockAuthority({
  actor: {
    namespaces: ["travel"],
    scopes: { "payment.spend": { currency: "RMB", per_call: 500, ask_above: 300 } },
  },
});
const ordered: unknown[] = [];
const placeOrder = async (dish: string, price: number): Promise<string> => {
  ordered.push({ dish, price });
  return `${dish} is on its way`;
};
const script = [
  [{ name: "order_food", input: { dish: "hotpot", price: 600 } }],
  [{ name: "order_food", input: { dish: "noodles", price: 200 } }],
  [{ name: "agentkeys_memory_get", input: { namespace: "family" } }],
  "Noodles are on their way.",
];

beforeAll(async () => {
  for (const [name, value] of Object.entries(await authority.env())) vi.stubEnv(name, value);
  vi.stubEnv("AGENTKEYS_OPERATOR_TOKEN", "mock-operator-token");
});

beforeEach(() => {
  ordered.length = 0;
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await authority.close();
});

function expectGoverned(model: ReturnType<typeof scriptedModel>): void {
  expect(ordered).toEqual([{ dish: "noodles", price: 200 }]);
  const [denied, done, empty] = answersRead(model).map(({ text }) => text);
  expect(JSON.parse(denied ?? "")).toEqual({
    error: true,
    code: "permission_denied",
    message: "Denied by AgentKeys: daily_spend_cap_exceeded (cap=500, requested=600, period=daily)",
  });
  expect(done).toBe("noodles is on its way");
  expect(JSON.parse(empty ?? "")).toMatchObject({ ok: false, content: "" });
}

test("the first snippet, and the agent by hand", async () => {
  const model = scriptedModel(script);
  // #region readme
  await using client = createClient(); // url, token and identity from AGENTKEYS_* variables
  const guard = createGuard({
    client,
    tools: { order_food: { scope: "payment.spend", params: (i) => ({ amount_rmb: i["price"] }) } },
  });
  const orderFood = createTool({
    id: "order_food",
    description: "Orders a dish; the price is in RMB.",
    inputSchema: z.object({ dish: z.string(), price: z.number() }),
    execute: ({ dish, price }) => placeOrder(dish, price),
  });

  const agent = new Agent(
    withAgentKeys(guard, {
      id: "shopper",
      name: "Shopper",
      instructions: "You order food.",
      model,
      tools: { order_food: orderFood },
    }),
  );
  const { text } = await agent.generate("A hotpot, please.");
  // #endregion
  expect(text).toBe("Noodles are on their way.");
  expectGoverned(model);
});

test("the agent by hand", async () => {
  const model = scriptedModel(script);
  await using client = createClient();
  const guard = createGuard({
    client,
    tools: { order_food: { scope: "payment.spend", params: (i) => ({ amount_rmb: i["price"] }) } },
  });
  const orderFood = createTool({
    id: "order_food",
    description: "Orders a dish; the price is in RMB.",
    inputSchema: z.object({ dish: z.string(), price: z.number() }),
    execute: ({ dish, price }) => placeOrder(dish, price),
  });
  // #region by-hand
  const agent = new Agent({
    id: "shopper",
    name: "Shopper",
    instructions: "You order food.",
    model,
    tools: { ...agentKeysTools(client), ...guardTools(guard, { order_food: orderFood }) },
    hooks: agentKeysHooks(guard),
    defaultOptions: { toolCallConcurrency: 1 }, // each call of a turn may ask a person
  });
  // #endregion
  await agent.generate("A hotpot, please.");
  expectGoverned(model);
});

const foodRow = (client: ReturnType<typeof createClient>) =>
  createGuard<{ order_food: { dish: string; price: number } }>({
    client,
    tools: {
      order_food: {
        scope: "payment.spend",
        params: ({ price }) => ({ amount_rmb: price }),
        describe: ({ dish, price }) => `Order a ${dish} for ${price} RMB`,
      },
    },
  });

const orderFood = createTool({
  id: "order_food",
  description: "Orders a dish; the price is in RMB.",
  inputSchema: z.object({ dish: z.string(), price: z.number() }),
  execute: ({ dish, price }) => placeOrder(dish, price),
});

test("a person decides", async () => {
  const feast = [{ name: "order_food", input: { dish: "feast", price: 400 } }];
  const model = scriptedModel([feast, "It is on its way."]);
  await using client = createClient();
  const guard = foodRow(client);
  const shopper = { id: "shopper", name: "Shopper", instructions: "You order food.", model };
  const storage = new InMemoryStore();
  const shown: unknown[] = [];
  const show = (asked: unknown) => shown.push(asked);
  // #region approvals

  const agent = new Agent(withAgentKeys(guard, { ...shopper, tools: { order_food: orderFood } }));
  const mastra = new Mastra({ agents: { agent }, storage }); // a suspended run lies in the storage
  const run = await mastra.getAgent("agent").generate("A feast, please.");
  if (run.finishReason === "suspended") {
    const { toolCallId, suspendPayload } = run.suspendPayload;
    show(suspendPayload.approval); // { id, digest, text: "Order a feast for 400 RMB", … }

    // The person decides at the authority, with a token that the agent has not.
    await using operator = createOperator();
    for (const approval of await operator.approvals.list({ status: "pending" })) {
      await operator.approvals.approve(approval, { reason: "a birthday", by: "ann" });
    }

    // Whoever hears of it resumes, in this process or in another one.
    const { text } = await agent.approveToolCallGenerate({ runId: run.runId ?? "", toolCallId });
    show(text);
  }
  // #endregion
  expect(shown).toMatchObject([{ text: "Order a feast for 400 RMB" }, "It is on its way."]);
  expect(ordered).toEqual([{ dish: "feast", price: 400 }]);
});

test("coverage", async () => {
  await using client = createClient();
  const guard = foodRow(client);
  const model = scriptedModel(["done"]);
  const helper = new Agent({
    id: "helper",
    name: "Helper",
    instructions: "You order.",
    model,
    tools: { order_food: orderFood },
  });
  const shown: unknown[] = [];
  const show = (found: unknown) => shown.push(found);
  const shopper = { id: "shopper", name: "Shopper", instructions: "You order food.", model };
  // #region coverage
  const config = { ...shopper, agents: { helper } };
  show((await guard.coverage(config)).tools);
  // [{ name: "agent-helper", how: "raw", path: "agents.helper" },
  //  { name: "order_food", how: "raw", path: "agents.helper.tools.order_food" }]

  const { tools, unused } = await guard.coverage(withAgentKeys(guard, config, { tools: false }));
  show(tools.map(({ how }) => how)); // ["guarded", "guarded"]
  show(unused); // rows that govern nothing, a misspelt one say: []
  // #endregion
  expect(shown).toEqual([
    [
      { name: "agent-helper", how: "raw", path: "agents.helper" },
      { name: "order_food", how: "raw", path: "agents.helper.tools.order_food" },
    ],
    ["guarded", "guarded"],
    [],
  ]);
});
