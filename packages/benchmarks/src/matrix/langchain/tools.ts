import { withAgentKeys } from "@agentkeys/langchain";
import { scriptedModel } from "@agentkeys/testing/langchain";
import { DynamicStructuredTool, tool } from "@langchain/core/tools";
import { createMiddleware } from "langchain";
import type { Play } from "../play.ts";
import { call, payTool, price, run, script } from "./run.ts";

const search = { type: "web_search_20250305", name: "web_search" };

export const tools = {
  "MCP tool": async (stage, mode) => {
    const remote = new DynamicStructuredTool({
      name: "pay",
      description: "pays",
      schema: { type: "object", properties: { price: { type: "number" } } },
      responseFormat: "content_and_artifact",
      metadata: { annotations: { readOnlyHint: true } },
      func: async (input) => [stage.pay(input), []],
    });
    return { wanted: [200], refused: 1, ...(await run(stage, mode, { script, tools: [remote] })) };
  },
  "dynamic tool": async (stage, mode) => {
    const dynamic = payTool(stage);
    const bringing = createMiddleware({
      name: "Bringing",
      wrapModelCall: (request, handler) =>
        handler({ ...request, tools: [...request.tools, dynamic] }),
      wrapToolCall: (request, handler) => handler({ ...request, tool: dynamic }),
    });
    const played = await run(stage, mode, { script, tools: [], middleware: [bringing] });
    return { wanted: [200], refused: 1, ...played };
  },
  "provider-executed": async (stage, mode) => {
    const model = scriptedModel(["done"]);
    try {
      withAgentKeys(stage.guard, { model, tools: [search] }, { strict: true });
    } catch {
      const provider = createMiddleware({
        name: "Provider",
        wrapModelCall: (request, handler) => {
          stage.pay({ price: 600 }, "web_search");
          return handler(request);
        },
      });
      const given = { script: ["done"], tools: [search], middleware: [provider] };
      return { wanted: [], refused: 0, ...(await run(stage, mode, given)) };
    }
    throw new Error("strict did not refuse");
  },
  renamed: async (stage, mode) => {
    const settle = tool((input: { price: number }) => stage.pay(input, "settle"), {
      name: "settle",
      description: "pays",
      schema: price,
    });
    const turns = [[call(200, "settle")], "done"];
    const played = await run(stage, mode, { script: turns, tools: [settle] });
    return { wanted: [], refused: 1, ...played };
  },
  generator: async (stage, mode) => {
    const streaming = tool(
      async function* (input: { price: number }) {
        yield "paying";
        return stage.pay(input);
      },
      { name: "pay", description: "pays", schema: price },
    );
    const played = await run(stage, mode, { script, tools: [streaming] });
    return { wanted: [200], refused: 1, ...played };
  },
} satisfies Record<string, Play>;
