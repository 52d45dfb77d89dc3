import { InMemoryStore } from "@mastra/core/storage";
import { call, play as replay, readBy } from "../../matrix/mastra/run.ts";
import type { Mode } from "../../matrix/shapes.ts";
import type { SeamPlay, PeerStage } from "../peer.ts";
import { agentOf, approved, drive, type Seam } from "./seam.ts";
import { survives } from "../survives.ts";

/** A run that waits for a person, and a way to have its agent once more. */
async function suspended(seam: Seam, stage: PeerStage, mode: Mode) {
  const open = seam.open(stage);
  const storage = new InMemoryStore();
  const { agent } = agentOf(open, stage, { script: [[call(450)], "done"], storage });
  const at = await drive(agent, mode, { open });
  const again = () => agentOf(open, stage, { script: ["done"], storage });
  return { open, at, storage, again };
}

/** The input of the suspended call, as somebody with access to the storage may write it. */
async function edit(storage: InMemoryStore): Promise<void> {
  const workflows = await storage.getStore("workflows");
  const { runs = [] } = (await workflows?.listWorkflowRuns()) ?? {};
  for (const { workflowName, runId, snapshot } of runs) {
    const text = typeof snapshot === "string" ? snapshot : JSON.stringify(snapshot);
    await workflows?.persistWorkflowSnapshot({
      workflowName,
      runId,
      snapshot: JSON.parse(text.replaceAll("450", "460")) as never,
    });
  }
}

export const approvals = {
  resumed: async (seam, stage, mode) => {
    const { open, at, again } = await suspended(seam, stage, mode);
    const { agent, model } = again();
    const survived = await survives(approved(agent, mode, { open, at }));
    return { wanted: [450], refused: 0, read: readBy(model), survived };
  },
  "two asks": async (seam, stage, mode) => {
    const open = seam.open(stage);
    const turn = [call(450, "pay", "yes"), call(460, "pay", "no")];
    const { agent, model } = agentOf(open, stage, { script: [turn, "done"] });
    const play = async () => {
      const { runId } = await drive(agent, mode, { open });
      await approved(agent, mode, { open, at: { runId, toolCallId: "yes" } });
      await replay(mode, {
        generate: () => agent.declineToolCallGenerate({ runId, toolCallId: "no" }),
        stream: () => agent.declineToolCall({ runId, toolCallId: "no" }),
      });
    };
    const survived = await survives(play());
    return { wanted: [450], refused: 1, read: readBy(model), survived };
  },
  "resumed twice at once": async (seam, stage, mode) => {
    const { open, at, again } = await suspended(seam, stage, mode);
    const both = [again(), again()];
    await Promise.allSettled(both.map(({ agent }) => approved(agent, mode, { open, at })));
    return { wanted: [450], refused: 0, read: [], survived: true };
  },
  "resumed early": () => null,
  "edited after approval": async (seam, stage, mode) => {
    const { open, at, storage, again } = await suspended(seam, stage, mode);
    await edit(storage);
    const { agent, model } = again();
    const survived = await survives(approved(agent, mode, { open, at }));
    return { wanted: [], refused: 0, read: readBy(model), survived };
  },
  "forged approval": async (seam, stage, mode) => {
    const open = seam.open(stage);
    const { agent, model } = agentOf(open, stage, { script: ["done"] });
    const at = { runId: crypto.randomUUID(), toolCallId: "evil" };
    await survives(approved(agent, mode, { open, at }));
    return { wanted: [], refused: 0, read: readBy(model), survived: true };
  },
} satisfies Record<string, SeamPlay<Seam>>;
