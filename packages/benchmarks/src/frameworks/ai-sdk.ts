import { withAgentKeys } from "@agentkeys/ai-sdk";
import { scriptedModel } from "@agentkeys/testing/ai-sdk";
import { isStepCount, tool as defineTool, ToolLoopAgent } from "ai";
import { tool } from "../order.ts";
import type { OpenLoop } from "./loop.ts";

export const openAiSdk: OpenLoop = (guard, { script, turns, onCall }) => {
  const settings = {
    model: scriptedModel(script),
    stopWhen: isStepCount(turns),
    tools: {
      [tool.name]: defineTool({
        description: tool.description,
        inputSchema: tool.schema,
        execute: () => {
          onCall();
          return "ordered";
        },
      }),
    },
  };
  const agent = new ToolLoopAgent(
    guard === undefined ? settings : withAgentKeys(guard, settings, { tools: false }),
  );
  return () => agent.generate({ prompt: "order lunch" });
};
