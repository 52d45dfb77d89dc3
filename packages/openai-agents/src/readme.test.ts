import { mockAuthority } from "@agentkeys/testing";
import { answersRead, scriptedModel } from "@agentkeys/testing/openai-agents";
import { setTracingDisabled } from "@openai/agents";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
// #region readme
import { withAgentKeys } from "@agentkeys/openai-agents";
import { createClient, createGuard } from "@agentkeys/core";
import { Agent, run, tool } from "@openai/agents";
import { z } from "zod";
// #endregion
// #region by-hand
import { agentKeysTools, guardAgent, guardTools } from "@agentkeys/openai-agents";
// #endregion
// #region ask
import { RunState } from "@openai/agents";
// #endregion

const authority = await mockAuthority({
  actor: { scopes: { "payment.spend": { currency: "RMB", per_call: 500, ask_above: 400 } } },
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
  setTracingDisabled(true);
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
    name: "order_food",
    description: "Orders a dish.",
    parameters: z.object({ dish: z.string(), price: z.number() }),
    execute: ({ dish, price }) => placeOrder(dish, price),
  });

  const agent = new Agent(withAgentKeys(guard, { name: "Shopper", model, tools: [orderFood] }));
  const { finalOutput } = await run(agent, "A hotpot, please.");
  // #endregion
  expect(finalOutput).toBe("Your hotpot is on its way.");
  expect(ordered).toEqual([{ dish: "hotpot", price: 200 }]);
  expect(answersRead(model)).toMatchObject([{ refused: true, text: denial }, { refused: false }]);
});

function world() {
  const client = createClient();
  const guard = createGuard({
    client,
    tools: { order_food: { scope: "payment.spend", params: (i) => ({ amount_rmb: i["price"] }) } },
  });
  const orderFood = tool({
    name: "order_food",
    description: "Orders a dish.",
    parameters: z.object({ dish: z.string(), price: z.number() }),
    execute: ({ dish, price }) => placeOrder(dish, price),
  });
  return { client, guard, orderFood };
}

test("by hand", async () => {
  const model = scriptedModel([order(600), "No."]);
  const { client, guard, orderFood } = world();
  const legacy = new Agent({ name: "Legacy", model, tools: [orderFood] });
  // #region by-hand
  const shopper = new Agent({
    name: "Shopper",
    model,
    tools: [...agentKeysTools(client), ...guardTools(guard, [orderFood])],
  });
  const governed = guardAgent(guard, legacy); // one that somebody else has built
  // #endregion
  expect((await run(shopper, "A hotpot, please.")).finalOutput).toBe("No.");
  expect((await run(governed, "A hotpot, please.")).finalOutput).toBe("No.");
  expect(ordered).toEqual([]);
  expect(answersRead(model)).toMatchObject([]);
  await client.close();
});

test("a person is asked", async () => {
  const model = scriptedModel([order(450), "It is on its way."]);
  const { client, guard, orderFood } = world();
  const operator = authority.operator();
  const agent = new Agent(withAgentKeys(guard, { name: "Shopper", model, tools: [orderFood] }));
  // #region ask
  const asking = await run(agent, "The big hotpot, please.");
  const saved = JSON.stringify(asking.state); // whoever goes on may be another process

  for (const { rawItem } of asking.interruptions) {
    // A person decides at the authority; here with the operator's token, in one go.
    if (rawItem.type !== "function_call") continue;
    const [approval] = await operator.approvals.list({ callId: rawItem.callId });
    if (approval) await operator.approvals.approve(approval, { reason: "lunch", by: "ann" });
  }

  const state = await RunState.fromString(agent, saved);
  for (const item of state.getInterruptions()) state.approve(item); // resumes, and grants nothing
  const { finalOutput } = await run(agent, state);
  // #endregion
  expect(finalOutput).toBe("It is on its way.");
  expect(ordered).toEqual([{ dish: "hotpot", price: 450 }]);
  // #region coverage
  const { tools, unused } = await guard.coverage(agent);
  // tools: [{ name: "order_food", how: "guarded", path: "tools.order_food" }, …]
  // unused: rows of the guard that govern nothing here, a misspelt name say
  // #endregion
  expect(tools).toContainEqual({ name: "order_food", how: "guarded", path: "tools.order_food" });
  expect(unused).toEqual([]);
  await client.close();
});
