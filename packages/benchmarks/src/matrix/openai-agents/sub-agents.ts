import { guardTools } from "@agentkeys/openai-agents";
import { scriptedModel } from "@agentkeys/testing/openai-agents";
import { Agent, RunContext, Runner, tool } from "@openai/agents-core";
import { z } from "zod";
import type { Play } from "../play.ts";
import type { Mode } from "../shapes.ts";
import type { Stage } from "../stage.ts";
import { payTool, readBy, run, script, start, type Tools } from "./run.ts";

type Model = ReturnType<typeof scriptedModel>;
const delegation = [[{ name: "delegate", input: {} }], "handed over"] as const;

/** An outer guarded agent whose tool `delegate` does this; gives what the inner model read. */
async function delegating(stage: Stage, mode: Mode, body: (model: Model) => unknown) {
  const model = scriptedModel(script);
  const delegate = tool({
    name: "delegate",
    description: "delegates",
    parameters: z.object({}),
    execute: async () => body(model),
  });
  const { survived } = await run(stage, mode, { script: delegation, tools: [delegate] });
  return { read: readBy(model), survived };
}

const innerOf = (model: Model, tools: Tools) => new Agent({ name: "inner", model, tools });

export const subAgents = {
  "sub-agent, guarded objects": async (stage, mode) => {
    const played = await delegating(stage, mode, async (model) => {
      await start(innerOf(model, guardTools(stage.guard, [payTool(stage)])), mode);
      return "done";
    });
    return { wanted: [200], refused: 1, ...played };
  },
  "sub-agent, raw tools": async (stage, mode) => {
    const played = await delegating(stage, mode, async (model) => {
      await start(innerOf(model, [payTool(stage)]), mode);
      return "done";
    });
    return { wanted: [200], refused: 1, ...played };
  },
  "own telemetry": async (stage, mode) => {
    const played = await delegating(stage, mode, async (model) => {
      const inner = innerOf(model, [payTool(stage)]);
      inner.on("agent_tool_start", () => {});
      const runner = new Runner({ tracingDisabled: true, workflowName: "of its own" });
      runner.on("agent_tool_start", () => {});
      await runner.run(inner, "go");
      return "done";
    });
    return { wanted: [200], refused: 1, ...played };
  },
  "called by hand": async (stage, mode) => {
    const { survived } = await delegating(stage, mode, () =>
      payTool(stage).invoke(new RunContext(), JSON.stringify({ price: 600 })),
    );
    return { wanted: [], refused: 0, read: [], survived };
  },
  background: async (stage, mode) => {
    let working: Promise<unknown> | undefined;
    const played = await delegating(stage, mode, (model) => {
      working = start(innerOf(model, guardTools(stage.guard, [payTool(stage)])), mode);
      return "working on it";
    });
    await working;
    return { wanted: [200], refused: 1, ...played };
  },
  handoff: async (stage, mode) => {
    const model = scriptedModel(script);
    const handoffs = [innerOf(model, [payTool(stage)])];
    const turns = [[{ name: "transfer_to_inner", input: {} }]];
    const { survived } = await run(stage, mode, {
      script: turns,
      tools: [],
      settings: { handoffs },
    });
    return { wanted: [200], refused: 1, read: readBy(model), survived };
  },
  "agent as tool": async (stage, mode) => {
    const model = scriptedModel(script);
    const inner = innerOf(model, [payTool(stage)]);
    const delegate = inner.asTool({ toolName: "delegate", toolDescription: "delegates" });
    const turns = [[{ name: "delegate", input: { input: "go" } }], "handed over"];
    const { survived } = await run(stage, mode, { script: turns, tools: [delegate] });
    return { wanted: [200], refused: 1, read: readBy(model), survived };
  },
} satisfies Record<string, Play>;
