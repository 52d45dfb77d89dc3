import { guardTools } from "@agentkeys/ai-sdk";
import { scriptedModel } from "@agentkeys/testing/ai-sdk";
import { type TelemetryOptions, tool, ToolLoopAgent, type ToolSet } from "ai";
import { z } from "zod";
import type { Play } from "../play.ts";
import type { Mode } from "../shapes.ts";
import type { Stage } from "../stage.ts";
import { agentOf, payTool, readBy, run, script, start } from "./run.ts";

type Model = ReturnType<typeof scriptedModel>;
const delegation = [[{ name: "delegate", input: {} }], "handed over"] as const;

/** An outer guarded agent whose tool `delegate` does this; gives what the inner model read. */
async function delegating(stage: Stage, mode: Mode, body: (model: Model) => unknown) {
  const model = scriptedModel(script);
  const delegate = tool({ inputSchema: z.object({}), execute: async () => body(model) });
  const { survived } = await run(stage, mode, { script: delegation, tools: { delegate } });
  return { read: readBy(model), survived };
}

const innerOf = (model: Model, tools: ToolSet, telemetry?: TelemetryOptions) =>
  new ToolLoopAgent<never, ToolSet>({ model, tools, ...(telemetry && { telemetry }) });

async function raw(stage: Stage, mode: Mode, telemetry?: TelemetryOptions) {
  const played = await delegating(stage, mode, async (model) => {
    await start(innerOf(model, { pay: payTool(stage) }, telemetry), mode);
    return "done";
  });
  return { wanted: [], refused: 2, ...played };
}

export const subAgents = {
  "sub-agent, guarded objects": async (stage, mode) => {
    const played = await delegating(stage, mode, async (model) => {
      await start(innerOf(model, guardTools(stage.guard, { pay: payTool(stage) })), mode);
      return "done";
    });
    return { wanted: [200], refused: 1, ...played };
  },
  "sub-agent, raw tools": (stage, mode) => raw(stage, mode),
  "own telemetry": (stage, mode) => raw(stage, mode, { integrations: [] }),
  "called by hand": async (stage, mode) => {
    const { survived } = await delegating(stage, mode, () =>
      payTool(stage).execute?.(
        { price: 600 },
        { toolCallId: "by-hand", messages: [], context: {} },
      ),
    );
    return { wanted: [], refused: 0, read: [], survived };
  },
  background: async (stage, mode) => {
    let working: Promise<unknown> | undefined;
    const played = await delegating(stage, mode, (model) => {
      const tools = guardTools(stage.guard, { pay: payTool(stage) });
      working = start(innerOf(model, tools), mode);
      return "working on it";
    });
    await working;
    return { wanted: [200], refused: 1, ...played };
  },
  handoff: () => null,
  "agent as tool": async (stage, mode) => {
    const inner = agentOf(stage, { script });
    const delegate = tool({
      inputSchema: z.object({}),
      async *execute() {
        const { textStream } = await inner.agent.stream({ prompt: "go" });
        for await (const text of textStream) yield text;
      },
    });
    const { survived } = await run(stage, mode, { script: delegation, tools: { delegate } });
    return { wanted: [200], refused: 1, read: readBy(inner.model), survived };
  },
} satisfies Record<string, Play>;
