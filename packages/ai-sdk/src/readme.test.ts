import { createAuthority } from "@agentkeys/server";
import { answersRead, scriptedModel } from "@agentkeys/testing/ai-sdk";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
// #region readme
import { withAgentKeys } from "@agentkeys/ai-sdk";
import { createClient, createGuard } from "@agentkeys/core";
import { tool, ToolLoopAgent } from "ai";
import { z } from "zod";
// #endregion
// #region by-hand
import { agentKeysApproval, agentKeysTools, guardTools } from "@agentkeys/ai-sdk";
import { generateText, isStepCount } from "ai";
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
const order = (price: number) => [{ name: "order_food", input: { dish: "hotpot", price } }];
const denial =
  "Denied by AgentKeys: daily_spend_cap_exceeded (cap=500, requested=600, period=daily)";

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
