import { withAgentKeys } from "@agentkeys/langchain";
import { scriptedModel } from "@agentkeys/testing/langchain";
import { tool as defineTool } from "@langchain/core/tools";
import { createAgent } from "langchain";
import { tool } from "../order.ts";
import type { OpenLoop } from "./loop.ts";

export const openLangChain: OpenLoop = (guard, { script, turns, onCall }) => {
  const { name, description, schema } = tool;
  const orderFood = defineTool(
    () => {
      onCall();
      return "ordered";
    },
    { name, description, schema },
  );
  const config = { model: scriptedModel(script), tools: [orderFood] };
  const agent = createAgent(
    guard === undefined ? config : withAgentKeys(guard, config, { tools: false }),
  );
  // A turn is a node for the model and one for its tools.
  return () => agent.invoke({ messages: "order lunch" }, { recursionLimit: 2 * turns + 1 });
};
