import type { Client, Guard } from "@agentkeys/core";
import { Agent } from "@mastra/core/agent";
import { createTool, type ToolHooks } from "@mastra/core/tools";
import { z } from "zod";
import { agentKeysHooks, agentKeysTools, guardTools, withAgentKeys } from "./index.ts";

declare const guard: Guard;
declare const client: Client;

type Same<A, B> = [A, B] extends [B, A] ? true : false;
declare function same<A, B>(answer: Same<A, B>): void;

const order_food = createTool({
  id: "order_food",
  description: "d",
  inputSchema: z.object({ dish: z.string(), price: z.number() }),
  outputSchema: z.object({ order: z.number() }),
  execute: async ({ dish }) => ({ order: dish.length }),
});
const tools = { order_food };
const identity = { id: "a", name: "a", instructions: "i", model: "openai/gpt-5-mini" } as const;

// What guardTools and withAgentKeys return has the type of what they were given.
same<ReturnType<typeof guardTools<typeof tools>>, typeof tools>(true);
const config = { ...identity, tools };
same<ReturnType<typeof withAgentKeys<typeof config>>, typeof config>(true);

// An agent knows its tools as it would without the guard: literal and spread configurations.
const bare = new Agent({ ...identity, tools });
const literal = new Agent(withAgentKeys(guard, { ...identity, tools: { order_food } }));
const spread = new Agent(withAgentKeys(guard, config, { tools: ["memory_get"], strict: true }));
for (const agent of [literal, spread]) {
  const { order_food: listed } = await agent.listTools();
  same<typeof listed, Awaited<ReturnType<typeof bare.listTools>>["order_food"]>(true);
  const result = await listed.execute?.({ dish: "soup", price: 1 }, {} as never);
  if (typeof result === "object" && "order" in result) same<typeof result.order, number>(true);
  // @ts-expect-error the price is a number
  void listed.execute?.({ dish: "soup", price: "1" }, {} as never);
  // @ts-expect-error the output has no such field
  void result?.dish;
}

// Tools that are a function, and hooks already there.
const dynamic = withAgentKeys(guard, {
  ...identity,
  tools: ({ requestContext }) => ({ ...tools, [`for_${requestContext.size()}`]: order_food }),
  hooks: { afterToolCall: ({ output }) => void output },
});
same<ReturnType<typeof dynamic.tools>["order_food"], typeof order_food>(true);

// By hand, beside AgentKeys' own tools.
const byHand = { ...agentKeysTools(client), ...guardTools(guard, tools) };
same<typeof byHand.order_food, typeof order_food>(true);
export const agents = [
  new Agent(dynamic),
  new Agent({ ...identity, tools: byHand, hooks: agentKeysHooks(guard) }),
];
same<ReturnType<typeof agentKeysHooks>, Required<ToolHooks>>(true);

// @ts-expect-error no such option
withAgentKeys(guard, config, { strickt: true });
// @ts-expect-error a tool is an object
withAgentKeys(guard, { ...identity, tools: { order_food: "order_food" } });
// @ts-expect-error an agent needs a model
withAgentKeys(guard, { id: "a", name: "a", instructions: "i" });
// @ts-expect-error a key, not a name
agentKeysTools(client, { only: "memory_get" });
