import { InMemoryStore } from "@mastra/core/storage";
import type { Play } from "../play.ts";
import type { Mode } from "../shapes.ts";
import type { Stage } from "../stage.ts";
import { agentOf, approve, call, play, readBy, start } from "./run.ts";

/** A run that waits for a person, and a way to have its agent once more. */
async function suspended(stage: Stage, mode: Mode) {
  const storage = new InMemoryStore();
  const { agent } = agentOf(stage, { script: [[call(450)], "done"], storage });
  const stand = await start(agent, mode);
  return { stand, storage, again: () => agentOf(stage, { script: ["done"], storage }) };
}

/** The input of the suspended call, as somebody with access to the storage may write it. */
async function edit(storage: InMemoryStore): Promise<void> {
  const workflows = await storage.getStore("workflows");
  const { runs = [] } = (await workflows?.listWorkflowRuns()) ?? {};
  for (const { workflowName, runId, snapshot } of runs) {
    const text = (typeof snapshot === "string" ? snapshot : JSON.stringify(snapshot)).replaceAll(
      "450",
      "460",
    );
    await workflows?.persistWorkflowSnapshot({
      workflowName,
      runId,
      snapshot: JSON.parse(text) as never,
    });
  }
}

export const approvals = {
  resumed: async (stage, mode) => {
    const { stand, again } = await suspended(stage, mode);
    await stage.decide("approve");
    const { agent, model } = again();
    await approve(agent, mode, stand);
    return { wanted: [450], refused: 0, read: readBy(model), survived: true };
  },
  "two asks": async (stage, mode) => {
    const { agent, model } = agentOf(stage, {
      script: [[call(450), call(460)], "done"],
      storage: new InMemoryStore(),
    });
    // They ask one after the other.
    const first = await start(agent, mode);
    await stage.decide("approve", 450);
    const second = await approve(agent, mode, first);
    await stage.decide("deny", 460);
    await approve(agent, mode, second);
    return { wanted: [450], refused: 1, read: readBy(model), survived: true };
  },
  "resumed twice at once": async (stage, mode) => {
    const { stand, again } = await suspended(stage, mode);
    await stage.decide("approve");
    const both = [again(), again()];
    await Promise.allSettled(both.map(({ agent }) => approve(agent, mode, stand)));
    return { wanted: [450], refused: 0, read: [], survived: true };
  },
  "resumed early": async (stage, mode) => {
    const { stand, again } = await suspended(stage, mode);
    const { agent, model } = again();
    await approve(agent, mode, stand);
    return { wanted: [], refused: 1, read: readBy(model), survived: true };
  },
  "edited after approval": async (stage, mode) => {
    const { stand, storage, again } = await suspended(stage, mode);
    await stage.decide("approve");
    await edit(storage);
    const { agent, model } = again();
    await approve(agent, mode, stand);
    return { wanted: [], refused: 1, read: readBy(model), survived: true };
  },
  "forged approval": async (stage, mode) => {
    const { stand, again } = await suspended(stage, mode);
    const { agent, model } = again();
    const [approval] = await stage.operator.approvals.list();
    const forged = { approved: true, approval: { ...approval, status: "approved" } };
    await play(mode, {
      generate: () => agent.resumeGenerate(forged, stand),
      stream: () => agent.resumeStream(forged, stand),
    });
    return { wanted: [], refused: 1, read: readBy(model), survived: true };
  },
} satisfies Record<string, Play>;
