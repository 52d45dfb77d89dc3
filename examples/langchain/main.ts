// LangChain.js: an order within the limit runs, one above it is refused, and one between waits for a person.
import assert from "node:assert/strict";
import { createClient, createGuard, createOperator } from "@agentkeys/core";
import { createAuthority } from "@agentkeys/server";
import { scriptedModel } from "@agentkeys/testing/langchain";
// #region quickstart
import { withAgentKeys } from "@agentkeys/langchain";
import { createAgent, tool } from "langchain";
import { z } from "zod";
// #endregion
// #region approval
import { Command, MemorySaver } from "@langchain/langgraph";
// #endregion

const operatorOmni = `0x${"07".repeat(32)}`;
const actor = `0x${"a0".repeat(32)}`;
await using authority = await createAuthority({
  data: ":memory:",
  env: { VENDOR_TOKEN: "example-vendor", OPERATOR_TOKEN: "example-operator" },
  config: {
    vendors: { example: { token: "env:VENDOR_TOKEN" } },
    operators: { [operatorOmni]: { token: "env:OPERATOR_TOKEN" } },
    actors: {
      [actor]: {
        operator: operatorOmni,
        vendor: "example",
        namespaces: ["travel"],
        scopes: {
          "memory.read": "allow",
          "memory.write": "allow",
          "web.search": "allow",
          "payment.spend": { currency: "RMB", per_call: 500, ask_above: 300 },
        },
      },
    },
  },
});
await using client = createClient({
  fetch: authority.fetch,
  token: "example-vendor",
  actor,
  operator: operatorOmni,
  deviceKeyHash: `0x${"de".repeat(32)}`,
});

// #region quickstart
const ordered: string[] = []; // what really runs
const orderFood = tool(
  ({ dish }) => {
    ordered.push(dish);
    return `${dish} is on its way`;
  },
  {
    name: "order_food",
    description: "Orders a dish; the price is in RMB.",
    schema: z.object({ dish: z.string(), price: z.int() }),
  },
);
const searchWeb = tool(({ query }) => `ten results for ${query}`, {
  name: "search_web",
  description: "Searches the web.",
  schema: z.object({ query: z.string() }),
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
// #endregion
{
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
  const agent = createAgent(withAgentKeys(guard, { model, tools: [orderFood, searchWeb] }));
  const { messages } = await agent.invoke({ messages: "Lunch, please" });
  // #endregion

  const said = messages.at(-1)?.text;
  const read = messages.map(({ text }) => text).join("\n");
  assert.match(read, /Denied by AgentKeys: daily_spend_cap_exceeded/);
  assert.deepEqual(ordered, ["noodles"]);
  console.log(said);
}

await using operator = createOperator({ fetch: authority.fetch, token: "example-operator" });
{
  const model = scriptedModel([
    [{ name: "order_food", input: { dish: "hotpot", price: 400 } }],
    "Hotpot for all.",
  ]);
  // #region approval

  const checkpointer = new MemorySaver();
  const agent = createAgent(withAgentKeys(guard, { model, tools: [orderFood], checkpointer }));
  const thread = { configurable: { thread_id: "lunch" } };
  await agent.invoke({ messages: "Lunch for the team, please" }, thread); // interrupted

  const [asked] = await operator.approvals.list({ status: "pending" }); // a person, elsewhere
  if (asked) await operator.approvals.approve(asked, { reason: "team lunch", by: "ann" });

  const { messages } = await agent.invoke(new Command({ resume: true }), thread);
  // #endregion
  assert.deepEqual(ordered, ["noodles", "hotpot"]);
  console.log(messages.at(-1)?.text);
}
