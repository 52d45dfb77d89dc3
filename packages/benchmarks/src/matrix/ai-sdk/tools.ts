import { withAgentKeys } from "@agentkeys/ai-sdk";
import { scriptedModel } from "@agentkeys/testing/ai-sdk";
import {
  dynamicTool,
  experimental_toolCaller as toolCaller,
  jsonSchema,
  tool,
  type ToolExecutionOptions,
  type ToolSet,
} from "ai";
import { z } from "zod";
import type { Play } from "../play.ts";
import { call, payTool, price, run, script } from "./run.ts";

const search: ToolSet[string] = {
  type: "provider",
  id: "mock.web_search",
  isProviderExecuted: true,
  args: {},
  inputSchema: z.object({}),
  outputSchema: z.unknown(),
};

export const tools = {
  "code mode": async (stage, mode) => {
    const read: string[] = [];
    const code = tool({ inputSchema: z.object({}), execute: async () => "unbound" });
    const delegate = toolCaller(code, {
      type: "local",
      bind: ({ pay }) => ({
        ...code,
        execute: async (_: unknown, options: ToolExecutionOptions<unknown>) => {
          for (const [i, amount] of [600, 200].entries()) {
            const nested = { ...options, toolCallId: `${options.toolCallId}:tool-${i}` };
            await pay
              ?.execute?.({ price: amount }, nested)
              .catch((error: Error) => read.push(error.message));
          }
          return "program done";
        },
      }),
    });
    const turns = [[{ name: "delegate", input: {} }], "done"];
    const given = { tools: { pay: payTool(stage), delegate } };
    const settings = { experimental_toolCallers: { pay: ["delegate"] } };
    const { survived } = await run(stage, mode, {
      script: turns,
      ...given,
      settings: settings as object,
    });
    return { wanted: [200], refused: 1, read, survived };
  },
  "MCP tool": async (stage, mode) => {
    const remote = dynamicTool({
      inputSchema: jsonSchema({ type: "object", properties: { price: { type: "number" } } }),
      execute: async (input) => ({
        content: [{ type: "text", text: stage.pay(input as { price: number }) }],
      }),
    });
    const pay = { ...remote, metadata: { clientName: "shop", toolName: "pay" } };
    return { wanted: [200], refused: 1, ...(await run(stage, mode, { script, tools: { pay } })) };
  },
  "dynamic tool": async (stage, mode) => {
    const prepareCall = (settings: object) => ({ ...settings, tools: { pay: payTool(stage) } });
    const override = { prepareCall: prepareCall as never };
    const played = await run(stage, mode, { script, tools: {}, override });
    return { wanted: [], refused: 2, ...played };
  },
  "provider-executed": async (stage, mode) => {
    const given = { model: scriptedModel(["done"]), tools: { search } };
    try {
      withAgentKeys(stage.guard, given, { strict: true });
    } catch {
      const onStepStart = () => void stage.pay({ price: 600 }, "search");
      const options = { script: ["done"], tools: { search }, settings: { onStepStart } };
      return { wanted: [], refused: 0, ...(await run(stage, mode, options)) };
    }
    throw new Error("strict did not refuse");
  },
  renamed: async (stage, mode) => {
    const settle = tool({
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
  generator: async (stage, mode) => {
    const pay = tool({
      inputSchema: price,
      async *execute(input) {
        yield "paying";
        yield stage.pay(input);
      },
    });
    return { wanted: [200], refused: 1, ...(await run(stage, mode, { script, tools: { pay } })) };
  },
} satisfies Record<string, Play>;
