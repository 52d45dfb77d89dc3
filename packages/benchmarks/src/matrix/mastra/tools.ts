import { guardTools, withAgentKeys } from "@agentkeys/mastra";
import { scriptedModel } from "@agentkeys/testing/mastra";
import { createCodeModeTool, createTool } from "@mastra/core/tools";
import { LocalSandbox } from "@mastra/core/workspace";
import type { Play } from "../play.ts";
import { call, payTool, price, run, script } from "./run.ts";

const search = { type: "provider-defined", id: "openai.web_search", args: {} } as never;

export const tools = {
  "code mode": async (stage, mode) => {
    const delegate = createCodeModeTool({
      id: "delegate",
      tools: guardTools(stage.guard, { pay: payTool(stage) }),
      sandbox: new LocalSandbox(),
    });
    const code = "return [await external_pay({ price: 600 }), await external_pay({ price: 200 })];";
    const turns = [[{ name: "delegate", input: { code } }], "done"];
    return {
      wanted: [200],
      refused: 1,
      ...(await run(stage, mode, { script: turns, tools: { delegate } })),
    };
  },
  "MCP tool": async (stage, mode) => {
    const remote = createTool({
      id: "server_pay",
      description: "pays",
      inputSchema: { type: "object", properties: { price: { type: "number" } } } as never,
      execute: async (input) => stage.pay(input as { price: number }),
    });
    const pay = Object.assign(remote, { mcpMetadata: { serverName: "server" } });
    return { wanted: [200], refused: 1, ...(await run(stage, mode, { script, tools: { pay } })) };
  },
  "dynamic tool": async (stage, mode) => {
    const prepareStep = ({ tools: all }: { tools?: object }) => ({
      tools: { ...all, pay: payTool(stage) },
    });
    const played = await run(stage, mode, { script, tools: {}, options: { prepareStep } });
    return { wanted: [200], refused: 1, ...played };
  },
  "provider-executed": async (stage, mode) => {
    const given = { id: "a", name: "a", instructions: "i", model: scriptedModel(["done"]) };
    try {
      withAgentKeys(stage.guard, { ...given, tools: { search } }, { strict: true });
    } catch {
      const provider = {
        id: "provider",
        processInputStep: async () => {
          stage.pay({ price: 600 }, "web_search");
          return {};
        },
      };
      const config = { inputProcessors: [provider] };
      const played = await run(stage, mode, { script: ["done"], tools: { search }, config });
      return { wanted: [], refused: 0, ...played };
    }
    throw new Error("strict did not refuse");
  },
  renamed: async (stage, mode) => {
    const settle = createTool({
      id: "pay",
      description: "pays",
      inputSchema: price,
      execute: async (input) => stage.pay(input, "settle"),
    });
    const turns = [[call(200, "settle")], "done"];
    return {
      wanted: [],
      refused: 1,
      ...(await run(stage, mode, { script: turns, tools: { settle } })),
    };
  },
  generator: () => null,
} satisfies Record<string, Play>;
