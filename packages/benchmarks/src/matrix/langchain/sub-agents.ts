import { guardTools } from "@agentkeys/langchain";
import { type ScriptedModel, scriptedModel } from "@agentkeys/testing/langchain";
import { tool } from "@langchain/core/tools";
import { Command, MessagesAnnotation, StateGraph } from "@langchain/langgraph";
import { createAgent } from "langchain";
import { z } from "zod";
import type { Played } from "../observe.ts";
import type { Play } from "../play.ts";
import type { Mode } from "../shapes.ts";
import type { Stage } from "../stage.ts";
import { agentOf, payTool, readBy, run, script, start } from "./run.ts";

const delegation = [[{ name: "delegate", input: {} }], "handed over"] as const;
const about = { name: "delegate", description: "hands over", schema: z.object({}) };

/** An outer guarded agent whose tool `delegate` does this; gives what the inner model read. */
async function delegating(stage: Stage, mode: Mode, body: (model: ScriptedModel) => unknown) {
  const model = scriptedModel(script);
  const tools = [tool(() => body(model), about)];
  const { survived } = await run(stage, mode, { script: delegation, tools });
  return { model, survived };
}

const raw = (options: Record<string, unknown>): Play => {
  return async (stage, mode) => {
    const { model, survived } = await delegating(stage, mode, async (inner) => {
      const agent = createAgent({ model: inner, tools: [payTool(stage)] });
      await start(agent, mode, { options });
      return "done";
    });
    return { wanted: [], refused: 2, read: readBy(model), survived };
  };
};

async function background(stage: Stage, mode: Mode): Promise<Played> {
  let working: Promise<void> | undefined;
  const { model, survived } = await delegating(stage, mode, (inner) => {
    const tools = [...guardTools(stage.guard, [payTool(stage)])];
    working = start(createAgent({ model: inner, tools }), mode);
    return "working on it";
  });
  await working;
  return { wanted: [200], refused: 1, read: readBy(model), survived };
}

export const subAgents = {
  "sub-agent, guarded objects": async (stage, mode) => {
    const { model, survived } = await delegating(stage, mode, async (inner) => {
      const tools = [...guardTools(stage.guard, [payTool(stage)])];
      await start(createAgent({ model: inner, tools }), mode);
      return "done";
    });
    return { wanted: [200], refused: 1, read: readBy(model), survived };
  },
  "sub-agent, raw tools": raw({}),
  "own telemetry": raw({ callbacks: [] }),
  "called by hand": async (stage, mode) => {
    const { survived } = await delegating(stage, mode, () => payTool(stage).func({ price: 600 }));
    return { wanted: [], refused: 0, read: [], survived };
  },
  background: (stage, mode) => (mode === "events" ? null : background(stage, mode)),
  handoff: async (stage, mode) => {
    const handOver = tool(() => new Command({ goto: "second", graph: Command.PARENT }), about);
    const first = agentOf(stage, { script: delegation, tools: [handOver] });
    const second = agentOf(stage, { script });
    const graph = new StateGraph(MessagesAnnotation)
      .addNode("first", (state, config) => first.agent.graph.invoke(state, config) as never, {
        ends: ["second"],
      })
      .addNode("second", (state, config) => second.agent.graph.invoke(state, config) as never)
      .addEdge("__start__", "first")
      .compile();
    await start({ graph }, mode);
    return { wanted: [200], refused: 1, read: readBy(second.model), survived: true };
  },
  "agent as tool": async (stage, mode) => {
    const inner = agentOf(stage, { script });
    const schema = z.object({ messages: z.string() });
    const asTool = inner.agent.graph.asTool({ ...about, schema: schema as never });
    const turns = [[{ name: "delegate", input: { messages: "go" } }], "handed over"];
    const { survived } = await run(stage, mode, { script: turns, tools: [asTool] });
    return { wanted: [200], refused: 1, read: readBy(inner.model), survived };
  },
} satisfies Record<string, Play>;
