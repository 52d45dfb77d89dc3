// Mastra: an order within the limit runs, one above it is refused, and the run goes on.
import assert from "node:assert/strict";
import { createClient, createGuard } from "@agentkeys/core";
import { createAuthority } from "@agentkeys/server";
import { scriptedModel } from "@agentkeys/testing/mastra";
// #region quickstart
import { withAgentKeys } from "@agentkeys/mastra";
import { Agent } from "@mastra/core/agent";
import { createTool } from "@mastra/core/tools";
import { z } from "zod";
// #endregion

const operator = `0x${"07".repeat(32)}`;
const actor = `0x${"a0".repeat(32)}`;
await using authority = await createAuthority({
  data: ":memory:",
  env: { VENDOR_TOKEN: "example-vendor", OPERATOR_TOKEN: "example-operator" },
  config: {
    vendors: { example: { token: "env:VENDOR_TOKEN" } },
    operators: { [operator]: { token: "env:OPERATOR_TOKEN" } },
    actors: {
      [actor]: {
        operator,
        vendor: "example",
        namespaces: ["travel"],
        scopes: {
          "memory.read": "allow",
          "memory.write": "allow",
          "web.search": "allow",
          "payment.spend": { currency: "RMB", per_call: 500 },
        },
      },
    },
  },
});
await using client = createClient({
  fetch: authority.fetch,
  token: "example-vendor",
  actor,
  operator,
  deviceKeyHash: `0x${"de".repeat(32)}`,
});

const model = scriptedModel([
  [
    { name: "agentkeys_memory_put", input: { namespace: "travel", content: "Chengdu in May" } },
    { name: "order_food", input: { dish: "banquet", price: 600 } },
    { name: "order_food", input: { dish: "noodles", price: 200 } },
  ],
  [{ name: "search_web", input: { query: "dessert" } }],
  "Noodles are on their way; the banquet was over the limit.",
]);

// #region quickstart
const ordered: string[] = []; // what really runs
const orderFood = createTool({
  id: "order_food",
  description: "Orders a dish; the price is in RMB.",
  inputSchema: z.object({ dish: z.string(), price: z.int() }),
  execute: async ({ dish }) => {
    ordered.push(dish);
    return `${dish} is on its way`;
  },
});
const searchWeb = createTool({
  id: "search_web",
  description: "Searches the web.",
  inputSchema: z.object({ query: z.string() }),
  execute: async ({ query }) => `ten results for ${query}`,
});
const guard = createGuard<{
  order_food: { dish: string; price: number };
  search_web: { query: string };
}>({
  client,
  tools: {
    order_food: { scope: "payment.spend", params: ({ price }) => ({ amount_rmb: price }) },
    search_web: { scope: "web.search" },
  },
});
const agent = new Agent(
  withAgentKeys(guard, {
    id: "shopper",
    name: "Shopper",
    instructions: "You order food.",
    model,
    tools: { order_food: orderFood, search_web: searchWeb },
  }),
);
const result = await agent.generate("Lunch, please");
// #endregion

const said = result.text;
assert.match(JSON.stringify(result.steps), /Denied by AgentKeys: daily_spend_cap_exceeded/);
assert.deepEqual(ordered, ["noodles"]);
console.log(said);
