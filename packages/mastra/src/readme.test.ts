import { createAuthority } from "@agentkeys/server";
import { answersRead, scriptedModel } from "@agentkeys/testing/mastra";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
// #region readme
import { createClient, createGuard } from "@agentkeys/core";
import { withAgentKeys } from "@agentkeys/mastra";
import { Agent } from "@mastra/core/agent";
import { createTool } from "@mastra/core/tools";
import { z } from "zod";
// #endregion
// #region by-hand
import { agentKeysHooks, agentKeysTools, guardTools } from "@agentkeys/mastra";
// #endregion

const actor = `0x${"a0".repeat(32)}`;
const operator = `0x${"07".repeat(32)}`;
const authority = await createAuthority({
  data: ":memory:",
  env: {},
  config: {
    vendors: { shop: { token: "value:vendor-token" } },
    operators: { [operator]: { token: "value:operator-token" } },
    actors: {
      [actor]: {
        operator,
        vendor: "shop",
        namespaces: ["travel"],
        scopes: {
          "memory.read": "allow",
          "payment.spend": { currency: "RMB", per_call: 500 },
        },
      },
    },
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
  const { url } = await authority.listen();
  vi.stubEnv("AGENTKEYS_MCP_URL", url);
  vi.stubEnv("AGENTKEYS_MCP_VENDOR_TOKEN", "vendor-token");
  vi.stubEnv("AGENTKEYS_ACTOR_OMNI", actor);
  vi.stubEnv("AGENTKEYS_OPERATOR_OMNI", operator);
  vi.stubEnv("AGENTKEYS_DEVICE_KEY_HASH", `0x${"de".repeat(32)}`);
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
  });
  // #endregion
  await agent.generate("A hotpot, please.");
  expectGoverned(model);
});
