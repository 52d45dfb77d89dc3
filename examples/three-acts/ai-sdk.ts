import { withAgentKeys } from "@agentkeys/ai-sdk";
import { tool, ToolLoopAgent } from "ai";
import { z } from "zod";
import { exchangesIn } from "./exchanges.ts";
import { sdkModel } from "./model.ts";
import { instructions } from "./shop.ts";
import type { CreateAgent } from "./shop.ts";

export const aiSdkAgent: CreateAgent = (guard, shop) => {
  const tools = {
    search_web: tool({
      description: "Searches the web.",
      inputSchema: z.object({ query: z.string() }),
      execute: async ({ query }) => shop.search(query),
    }),
    order_food: tool({
      description: "Orders a dish. The price is in RMB.",
      inputSchema: z.object({ dish: z.string(), price: z.int() }),
      execute: ({ dish, price }) => shop.order(dish, price),
    }),
  };
  return async (request, script) => {
    const { model, prompts } = sdkModel(script);
    const agent = new ToolLoopAgent(withAgentKeys(guard, { model, tools, instructions }));
    const { text } = await agent.generate({ prompt: request });
    return { exchanges: exchangesIn(prompts), text };
  };
};
