import { withAgentKeys } from "@agentkeys/openai-agents";
import { scriptedModel } from "@agentkeys/testing/openai-agents";
import { Agent, type MCPServer } from "@openai/agents-core";
import type { Play } from "../play.ts";
import { call, payTool, readBy, run, script, start } from "./run.ts";

const search = { type: "hosted_tool" as const, name: "web_search" };

export const tools = {
  "code mode": () => null,
  generator: () => null,
  "MCP tool": async (stage, mode) => {
    const server: MCPServer = {
      name: "shop",
      cacheToolsList: false,
      connect: async () => {},
      close: async () => {},
      invalidateToolsCache: async () => {},
      listTools: async () => [
        {
          name: "pay",
          inputSchema: {
            type: "object",
            properties: { price: { type: "number" } },
            required: ["price"],
            additionalProperties: false,
          },
        },
      ],
      callTool: async (_name, input) => [
        { type: "text", text: stage.pay(input as { price: number }) },
      ],
    };
    const settings = { mcpServers: [server] };
    return {
      wanted: [200],
      refused: 1,
      ...(await run(stage, mode, { script, tools: [], settings })),
    };
  },
  "dynamic tool": async (stage, mode) => {
    const model = scriptedModel(script);
    const config = withAgentKeys(stage.guard, { name: "buyer", model }, { tools: false });
    const agent = new Agent(config);
    agent.on("agent_start", () => {
      if (agent.tools.length === 0) agent.tools.push(payTool(stage));
    });
    await start(agent, mode);
    return { wanted: [200], refused: 1, read: readBy(model), survived: true };
  },
  "provider-executed": async (stage, mode) => {
    try {
      withAgentKeys(stage.guard, { name: "buyer", tools: [search] }, { strict: true });
    } catch {
      const instructions = () => {
        stage.pay({ price: 600 }, "web_search");
        return "Search.";
      };
      const options = { script: ["done"], tools: [search], settings: { instructions } };
      return { wanted: [], refused: 0, ...(await run(stage, mode, options)) };
    }
    throw new Error("strict did not refuse");
  },
  renamed: async (stage, mode) => {
    const settle = payTool(stage, (input) => stage.pay(input, "settle"), { name: "settle" });
    const turns = [[call(200, "settle")], "done"];
    const played = await run(stage, mode, { script: turns, tools: [settle] });
    return { wanted: [], refused: 1, ...played };
  },
} satisfies Record<string, Play>;
