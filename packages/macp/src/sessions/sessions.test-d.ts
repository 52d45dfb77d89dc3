import { createParticipant } from "../agent/participant.ts";
import type { MacpClient } from "../client/client.ts";

declare const client: MacpClient;
const party = { participants: ["ann"], ttlMs: 1 };

const decision = await client.decision.start(party);
const winner: string | undefined = decision.projection.majorityWinner();
await decision.vote("p", "approve");
await decision.vote("p", "APPROVE", { reason: "fine" });
// @ts-expect-error not a vote
await decision.vote("p", "maybe");
await decision.evaluate("p", "block", { confidence: 1 });
// @ts-expect-error a decision has no ballots
await decision.approve("r");
await decision.send("Vote", { proposalId: "p", vote: "APPROVE" });
// @ts-expect-error no such message in this mode
await decision.send("Approve", { requestId: "r" });
// @ts-expect-error no such field in this message
await decision.send("Vote", { requestId: "r" });

const found: string = await decision.until((projection) => projection.majorityWinner());
const quorum = await client.quorum.join("id");
const reached: true = await quorum.until((projection) => projection.hasQuorum());
// @ts-expect-error how many must approve is not optional
await quorum.requestApproval("r", "deploy");
// @ts-expect-error neither is how long it may take
await client.task.start({ participants: ["ann"] });

createParticipant(decision, {
  me: "ann",
  on: {
    Proposal: async ({ payload }, { session }) => {
      const option: string = payload.option;
      await session.evaluate(payload.proposalId, "approve", { reason: option });
    },
    // @ts-expect-error no such message in this mode
    Approve: () => {},
  },
});

export { found, reached, winner };
