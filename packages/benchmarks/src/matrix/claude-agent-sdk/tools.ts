import { tool } from "@anthropic-ai/claude-agent-sdk";
import type { ZodRawShape } from "zod";
import type { Play } from "../play.ts";
import { call, free, payTool, run, script, shopOf } from "./run.ts";

export const tools = {
  "MCP tool": async (stage, mode) => {
    const mcp__far__pay = (input: { price: number }) => stage.pay(input);
    const turns = [[call(600, "mcp__far__pay")], [call(200, "mcp__far__pay")], "done"];
    const given = { script: turns, scripted: { builtins: { mcp__far__pay } } };
    return { wanted: [200], refused: 1, ...(await run(stage, mode, given)) };
  },
  "dynamic tool": async (stage, mode) => {
    const { description, inputSchema, handler } = payTool(stage);
    const appear = tool("delegate", "brings a tool", {}, async () => {
      const shape = { description, inputSchema: inputSchema as ZodRawShape };
      shop.instance.registerTool("pay", shape, handler);
      return { content: [] };
    });
    const shop = shopOf([appear]);
    const turns = [[{ name: "mcp__shop__delegate", input: {} }], ...script];
    const options = { ...free, mcpServers: { shop } };
    return { wanted: [200], refused: 1, ...(await run(stage, mode, { script: turns, options })) };
  },
  "provider-executed": () => null,
  renamed: async (stage, mode) => {
    const settle = payTool(stage, (input) => stage.pay(input, "settle"), "settle");
    const turns = [[call(200, "mcp__shop__settle")], "done"];
    return {
      wanted: [],
      refused: 1,
      ...(await run(stage, mode, { script: turns, tools: [settle] })),
    };
  },
  generator: () => null,
  "code mode": () => null,
} satisfies Record<string, Play>;
