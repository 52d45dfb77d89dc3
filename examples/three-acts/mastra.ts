import { withAgentKeys } from "@agentkeys/mastra";
import { Agent } from "@mastra/core/agent";
import type { MastraModelConfig } from "@mastra/core/llm";
import { createTool } from "@mastra/core/tools";
import { z } from "zod";
import { exchangesIn } from "./exchanges.ts";
import { sdkModel } from "./model.ts";
import { instructions } from "./shop.ts";
import type { CreateAgent } from "./shop.ts";

export const mastraAgent: CreateAgent = (guard, shop) => {
  const tools = {
    search_web: createTool({
      id: "search_web",
      description: "Searches the web.",
      inputSchema: z.object({ query: z.string() }),
      execute: async ({ query }) => shop.search(query),
    }),
    order_food: createTool({
      id: "order_food",
      description: "Orders a dish. The price is in RMB.",
      inputSchema: z.object({ dish: z.string(), price: z.int() }),
      execute: ({ dish, price }) => shop.order(dish, price),
    }),
  };
  return async (request, script) => {
    const { model, prompts } = sdkModel(script);
    const agent = new Agent(
      withAgentKeys(guard, {
        id: "shopper",
        name: "Shopper",
        instructions,
        // Mastra's own copy of the AI SDK's types does not know them.
        model: model as unknown as MastraModelConfig,
        tools,
      }),
    );
    const { text } = await agent.generate(request);
    return { exchanges: exchangesIn(prompts), text };
  };
};
