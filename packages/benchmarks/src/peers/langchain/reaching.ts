import { type ScriptedModel, scriptedModel } from "@agentkeys/testing/langchain";
import { DynamicStructuredTool, tool } from "@langchain/core/tools";
import { Command, MemorySaver, MessagesAnnotation, StateGraph } from "@langchain/langgraph";
import { createAgent, createMiddleware } from "langchain";
import { z } from "zod";
import { call, payTool, price, readBy, script, start } from "../../matrix/langchain/run.ts";
import type { Mode } from "../../matrix/shapes.ts";
import type { PeerPlay, PeerStage } from "../peer.ts";
import { agentOf, drive, run } from "./hitl.ts";
import { survives } from "../survives.ts";

const delegation = [[{ name: "delegate", input: {} }], "handed over"] as const;
const about = { name: "delegate", description: "hands over", schema: z.object({}) };
const search = { type: "web_search_20250305", name: "web_search" };

/** An outer guarded agent whose tool `delegate` does this; gives what the inner model read. */
async function delegating(stage: PeerStage, mode: Mode, body: (model: ScriptedModel) => unknown) {
  const model = scriptedModel(script);
  const tools = [tool(() => body(model), about)];
  const { survived } = await run(stage, mode, { script: delegation, tools });
  return { model, survived };
}

const raw =
  (options: object): PeerPlay =>
  async (stage, mode) => {
    const { model, survived } = await delegating(stage, mode, async (inner) => {
      await start(createAgent({ model: inner, tools: [payTool(stage)] }), mode, { options });
      return "done";
    });
    return { wanted: [], may: [200], refused: 1, read: readBy(model), survived };
  };

/** Ways to a tool that do not lead through the agent's own list. */
export const reaching = {
  "sub-agent, guarded objects": () => null,
  "sub-agent, raw tools": raw({}),
  "own telemetry": raw({ callbacks: [] }),
  "called by hand": async (stage, mode) => {
    const { survived } = await delegating(stage, mode, () => payTool(stage).func({ price: 600 }));
    return { wanted: [], refused: 0, read: [], survived };
  },
  background: async (stage, mode) => {
    const inner = agentOf(stage, { script });
    let working: Promise<boolean> | undefined;
    const { survived } = await delegating(stage, mode, () => {
      const options = { configurable: { thread_id: "inner" } };
      working = survives(drive(inner.agent, mode, { options }));
      return "working on it";
    });
    const both = (await working) === true && survived;
    return { wanted: [200], refused: 1, read: readBy(inner.model), survived: both };
  },
  handoff: async (stage, mode) => {
    const handOver = tool(() => new Command({ goto: "second", graph: Command.PARENT }), about);
    const inherited = { checkpointer: false } as const;
    const first = agentOf(stage, { script: delegation, tools: [handOver], ...inherited });
    const second = agentOf(stage, { script, ...inherited });
    const graph = new StateGraph(MessagesAnnotation)
      .addNode("first", (state, config) => first.agent.graph.invoke(state, config) as never, {
        ends: ["second"],
      })
      .addNode("second", (state, config) => second.agent.graph.invoke(state, config) as never)
      .addEdge("__start__", "first")
      .compile({ checkpointer: new MemorySaver() });
    const survived = await survives(drive({ graph }, mode));
    return { wanted: [200], refused: 1, read: readBy(second.model), survived };
  },
  "agent as tool": async (stage, mode) => {
    const inner = agentOf(stage, { script, checkpointer: false });
    const schema = z.object({ messages: z.string() });
    const asTool = inner.agent.graph.asTool({ ...about, schema: schema as never });
    const turns = [[{ name: "delegate", input: { messages: "go" } }], "handed over"];
    const { survived } = await run(stage, mode, { script: turns, tools: [asTool] });
    return { wanted: [200], refused: 1, read: readBy(inner.model), survived };
  },
  "code mode": () => null,
  "MCP tool": async (stage, mode) => {
    const remote = new DynamicStructuredTool({
      name: "pay",
      description: "pays",
      schema: { type: "object", properties: { price: { type: "number" } } },
      responseFormat: "content_and_artifact",
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
    return { wanted: [], may: [200], refused: 1, ...played };
  },
  "provider-executed": async (stage, mode) => {
    const provider = createMiddleware({
      name: "Provider",
      wrapModelCall: (request, handler) => {
        stage.pay({ price: 600 }, "web_search");
        return handler(request);
      },
    });
    const given = { script: ["done"], tools: [search], middleware: [provider] };
    return { wanted: [], refused: 0, ...(await run(stage, mode, given)) };
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
} satisfies Record<string, PeerPlay>;
