import type { Client, Guard } from "@agentkeys/core";
import { Agent, type FunctionTool, handoff, run, tool } from "@openai/agents";
import { z } from "zod";
import { agentKeysTools, guardAgent, type guardTools, withAgentKeys } from "./index.ts";

declare const guard: Guard;
declare const client: Client;

type Same<A, B> = [A, B] extends [B, A] ? true : false;
declare function same<A, B>(answer: Same<A, B>): void;

const order = tool({
  name: "order_food",
  description: "orders",
  parameters: z.object({ dish: z.string() }),
  execute: async ({ dish }) => dish.length,
});

// What guardTools, guardAgent and withAgentKeys return has the type of what they were given.
const tools = [order];
same<ReturnType<typeof guardTools<typeof tools>>, typeof tools>(true);
const config = { name: "shopper", tools, outputType: z.object({ price: z.number() }) };
same<ReturnType<typeof withAgentKeys<typeof config>>, typeof config>(true);

// An agent's output stays typed.
const agent = new Agent(withAgentKeys(guard, config));
const { finalOutput } = await run(agent, "go");
same<typeof finalOutput, { price: number } | undefined>(true);
const { finalOutput: guarded } = await run(guardAgent(guard, agent), "go");
same<typeof guarded, { price: number } | undefined>(true);

// So do the contexts of its callbacks, and handoffs.
interface Shop {
  currency: string;
}
const typed = new Agent<Shop>(
  withAgentKeys(guard, {
    name: "typed",
    tools: [...agentKeysTools(client), order],
    handoffs: [agent, handoff(agent)],
  }),
);
void typed;
const own: FunctionTool<Shop, never>[] = agentKeysTools(client);
void own;

// @ts-expect-error a configuration has no such tools
withAgentKeys(guard, { name: "wrong", tools: ["order_food"] });
// @ts-expect-error no such option
withAgentKeys(guard, config, { only: [] });
// @ts-expect-error an agent is not its configuration
guardAgent(guard, config);
