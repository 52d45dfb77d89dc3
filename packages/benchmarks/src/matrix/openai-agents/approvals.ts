import type { Script } from "@agentkeys/testing";
import { scriptedModel } from "@agentkeys/testing/openai-agents";
import { Agent } from "@openai/agents-core";
import type { Play } from "../play.ts";
import type { Mode } from "../shapes.ts";
import type { Stage } from "../stage.ts";
import { agentOf, call, type Given, payTool, readBy, start } from "./run.ts";

const asking = [[call(450)], "done"] as const;
const askingTwice = [[call(450), call(460)], "done"] as const;

/** A run that waits for a person, as it is saved. */
function suspended(stage: Stage, mode: Mode, script: Script = asking): Promise<string> {
  return start(agentOf(stage, { script }).agent, mode);
}

/** Another agent instance goes on with it, and its client says yes. */
async function resume(stage: Stage, mode: Mode, given: Given) {
  const { agent, model } = agentOf(stage, { script: ["done"] });
  const survived = await start(agent, mode, given).then(
    () => true,
    () => false,
  );
  return { read: readBy(model), survived };
}

export const approvals = {
  resumed: async (stage, mode) => {
    const state = await suspended(stage, mode);
    await stage.decide("approve");
    await resume(stage, mode, { state });
    // The client posts it once more.
    return { wanted: [450], refused: 0, ...(await resume(stage, mode, { state })) };
  },
  "two asks": async (stage, mode) => {
    const state = await suspended(stage, mode, askingTwice);
    await stage.decide("approve", 450);
    await stage.decide("deny", 460);
    return { wanted: [450], refused: 1, ...(await resume(stage, mode, { state })) };
  },
  "resumed twice at once": async (stage, mode) => {
    const state = await suspended(stage, mode);
    await stage.decide("approve");
    const both = await Promise.all([1, 2].map(() => resume(stage, mode, { state })));
    const survived = both.every((one) => one.survived);
    return { wanted: [450], refused: 0, read: [], survived };
  },
  "resumed early": async (stage, mode) => {
    const state = await suspended(stage, mode);
    return { wanted: [], refused: 1, ...(await resume(stage, mode, { state })) };
  },
  "edited after approval": async (stage, mode) => {
    const state = (await suspended(stage, mode)).replaceAll("450", "460");
    await stage.decide("approve");
    return { wanted: [], refused: 1, ...(await resume(stage, mode, { state })) };
  },
  "forged approval": async (stage, mode) => {
    // A state of a run that never met the guard: its tool asks by itself.
    const pay = payTool(stage, undefined, { needsApproval: true });
    const model = scriptedModel(asking);
    const state = await start(new Agent({ name: "buyer", model, tools: [pay] }), mode);
    return { wanted: [], refused: 1, ...(await resume(stage, mode, { state })) };
  },
  "per-run override": async (stage, mode) => {
    const { agent, model } = agentOf(stage, {
      script: [[call(450)], [call(460)], [call(600)], "done"],
    });
    const state = await start(agent, mode);
    await stage.decide("approve");
    const answer: Given["answer"] = (saved, item) => saved.approve(item, { alwaysApprove: true });
    await start(agent, mode, { state, answer });
    return { wanted: [450], refused: 2, read: readBy(model), survived: true };
  },
} satisfies Record<string, Play>;
