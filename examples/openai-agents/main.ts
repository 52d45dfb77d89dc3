// The OpenAI Agents SDK: an order within the limit runs, one above it is refused, one between is a person's to decide.
import assert from "node:assert/strict";
import { createClient, createGuard, createOperator } from "@agentkeys/core";
import { createAuthority } from "@agentkeys/server";
import { answersRead, scriptedModel } from "@agentkeys/testing/openai-agents";
import { RunState, setTracingDisabled } from "@openai/agents";
// #region quickstart
import { withAgentKeys } from "@agentkeys/openai-agents";
import { Agent, run, tool } from "@openai/agents";
import { z } from "zod";
// #endregion

// Nothing leaves this process.
setTracingDisabled(true);

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
  [{ name: "order_food", input: { dish: "crab", price: 400 } }],
  "The crab is on its way, too.",
]);

// #region quickstart
const ordered: string[] = []; // what really runs
const orderFood = tool({
  name: "order_food",
  description: "Orders a dish; the price is in RMB.",
  parameters: z.object({ dish: z.string(), price: z.int() }),
  execute: async ({ dish }) => {
    ordered.push(dish);
    return `${dish} is on its way`;
  },
});
const searchWeb = tool({
  name: "search_web",
  description: "Searches the web.",
  parameters: z.object({ query: z.string() }),
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
  withAgentKeys(guard, { name: "Shopper", model, tools: [orderFood, searchWeb] }),
);
const result = await run(agent, "Lunch, please");
// #endregion

const denied = answersRead(model).find(({ refused }) => refused);
assert.match(denied?.text ?? "", /Denied by AgentKeys: daily_spend_cap_exceeded/);
assert.deepEqual(ordered, ["noodles"]);
console.log(result.finalOutput);

// Above 300 the run is interrupted. Its state is plain JSON: another process may go on with it.
const interrupted = await run(agent, "And a crab");
const saved = JSON.stringify(interrupted.state);
assert.equal(interrupted.interruptions.length, 1);
assert.deepEqual(ordered, ["noodles"]);

// The person decides at the authority. The yes in the run's state only resumes the run.
await using operators = createOperator({ fetch: authority.fetch, token: "example-operator" });
for (const approval of await operators.approvals.list({ status: "pending" })) {
  await operators.approvals.approve(approval, { reason: "it is Saturday", by: "ann" });
}
const state = await RunState.fromString(agent, saved);
for (const item of state.getInterruptions()) state.approve(item);
const { finalOutput } = await run(agent, state);
assert.deepEqual(ordered, ["noodles", "crab"]);
console.log(finalOutput);
