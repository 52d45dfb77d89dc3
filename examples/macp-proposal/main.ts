// Proposal: a buyer and a seller haggle by counter-offers until both accept the same one.
import assert from "node:assert/strict";
import { createMacpClient, devAgent, type ProposalSession } from "@agentkeys/macp";
import { createParticipant } from "@agentkeys/macp/agent";
import { createRuntime } from "@agentkeys/macp/runtime";

await using runtime = createRuntime();
await using buyer = createMacpClient({ runtime, auth: devAgent("buyer") });
await using seller = createMacpClient({ runtime, auth: devAgent("seller") });

await using buying = await buyer.proposal.start({
  intent: "100 licences",
  participants: ["buyer", "seller"],
  ttlMs: 60_000,
});
await using selling = await seller.proposal.join(buying.id);

/** Answers an offer: takes one that is good enough, else offers the middle. */
async function answer(
  session: ProposalSession,
  offer: { id: string; price: number },
  good: boolean,
) {
  if (good) return session.accept(offer.id, { reason: "good enough" });
  const price = Math.round((offer.price + 100) / 2);
  return session.counterPropose(`at-${price}`, { supersedes: offer.id, title: String(price) });
}

const sells = createParticipant(selling, {
  me: "seller",
  on: {
    Proposal: async ({ payload }, { session }) => {
      await answer(session, { id: payload.proposalId, price: Number(payload.title) }, false);
    },
    Accept: async ({ payload }, { session }) => {
      await session.accept(payload.proposalId, { reason: "deal" });
    },
  },
}).run();
const buys = createParticipant(buying, {
  me: "buyer",
  on: {
    CounterProposal: async ({ payload }, { session }) => {
      const price = Number(payload.title);
      await answer(session, { id: payload.proposalId, price }, price <= 80);
    },
    Accept: async (_, { session }) => {
      assert.equal(session.projection.acceptedProposal(), "at-80");
      const deal = { authorityScope: "purchasing", reason: "both accepted 80" };
      await session.commit({ action: "purchase.accepted", ...deal });
    },
  },
}).run();

await buying.propose("at-60", "60");
assert.deepEqual(await Promise.all([buys, sells]), ["resolved", "resolved"]);

const { projection } = selling;
assert.equal(projection.isPositiveOutcome, true);
assert.deepEqual(
  projection.transcript.map(({ sender, messageType }) => `${sender}: ${messageType}`),
  [
    "buyer: SessionStart",
    "buyer: Proposal",
    "seller: CounterProposal",
    "buyer: Accept",
    "seller: Accept",
    "buyer: Commitment",
  ],
);
assert.deepEqual(projection.latestProposal()?.supersedes, "at-60");
console.log(`agreed on ${projection.latestProposal()?.title}`);
