import { withAgentKeys } from "@agentkeys/mastra";
import { scriptedModel } from "@agentkeys/testing/mastra";
import { Agent } from "@mastra/core/agent";
import type { MastraModelConfig } from "@mastra/core/llm";
import { createTool } from "@mastra/core/tools";
import { tool } from "../order.ts";
import type { OpenLoop } from "./loop.ts";

export const openMastra: OpenLoop = (guard, { script, turns, onCall }) => {
  const orderFood = createTool({
    id: tool.name,
    description: tool.description,
    inputSchema: tool.schema,
    execute: async () => {
      onCall();
      return "ordered";
    },
  });
  const config = {
    id: "shopper",
    name: "Shopper",
    instructions: "Order lunch.",
    // Mastra carries its own copy of the AI SDK's types.
    model: scriptedModel(script) as unknown as MastraModelConfig,
    tools: { [tool.name]: orderFood },
  };
  const agent = new Agent(
    guard === undefined ? config : withAgentKeys(guard, config, { tools: false }),
  );
  return () => agent.generate("order lunch", { maxSteps: turns });
};
