import { createGuard } from "@agentkeys/core";
import { guardTools } from "@agentkeys/mastra";
import { scriptedModel } from "@agentkeys/testing/mastra";
import { createTool } from "@mastra/core/tools";
import { z } from "zod";
import type { Played } from "../observe.ts";
import type { Play } from "../play.ts";
import type { Mode } from "../shapes.ts";
import type { Stage } from "../stage.ts";
import { payTool, rawAgent, readBy, run, script, start } from "./run.ts";

const delegation = [[{ name: "delegate", input: {} }], "handed over"] as const;
type Model = ReturnType<typeof scriptedModel>;

/** An outer guarded agent whose tool `delegate` does this; gives what the inner model read. */
async function delegating(stage: Stage, mode: Mode, body: (model: Model) => unknown) {
  const model = scriptedModel(script);
  const delegate = createTool({
    id: "delegate",
    description: "hands over",
    inputSchema: z.object({}),
    execute: async () => body(model),
  });
  const { survived } = await run(stage, mode, { script: delegation, tools: { delegate } });
  return { model, survived };
}

const raw: Play = async (stage, mode) => {
  const { model, survived } = await delegating(stage, mode, async (inner) => {
    await start(rawAgent({ script, model: inner, tools: { pay: payTool(stage) } }), mode);
    return "done";
  });
  return { wanted: [], refused: 2, read: readBy(model), survived };
};

async function background(stage: Stage, mode: Mode): Promise<Played> {
  let working: Promise<unknown> | undefined;
  const { model, survived } = await delegating(stage, mode, (inner) => {
    const tools = guardTools(stage.guard, { pay: payTool(stage) });
    working = start(rawAgent({ script, model: inner, tools }), mode);
    return "working on it";
  });
  await working;
  return { wanted: [200], refused: 1, read: readBy(model), survived };
}

export const subAgents = {
  "sub-agent, guarded objects": async (stage, mode) => {
    const { model, survived } = await delegating(stage, mode, async (inner) => {
      const tools = guardTools(stage.guard, { pay: payTool(stage) });
      await start(rawAgent({ script, model: inner, tools }), mode);
      return "done";
    });
    return { wanted: [200], refused: 1, read: readBy(model), survived };
  },
  "sub-agent, raw tools": raw,
  "own telemetry": raw,
  "called by hand": async (stage, mode) => {
    const { survived } = await delegating(stage, mode, () =>
      payTool(stage).execute?.({ price: 600 }, {} as never),
    );
    return { wanted: [], refused: 0, read: [], survived };
  },
  background,
  handoff: () => null,
  "agent as tool": async (stage, mode) => {
    const guard = createGuard<{ pay: { price: number }; "agent-payer": object }>({
      client: stage.client,
      tools: {
        pay: { scope: "payment.spend", params: ({ price }) => ({ amount_rmb: price }) },
        "agent-payer": { scope: "agents.delegate" },
      },
    });
    const model = scriptedModel(script);
    const payer = rawAgent({ script, model, tools: { pay: payTool(stage) } });
    const turns = [[{ name: "agent-payer", input: { prompt: "go" } }], "handed over"];
    const config = { agents: { payer } };
    const { survived } = await run({ ...stage, guard }, mode, { script: turns, tools: {}, config });
    return { wanted: [200], refused: 1, read: readBy(model), survived };
  },
} satisfies Record<string, Play>;
