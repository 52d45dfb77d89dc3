// Decision: three reviewers decide by themselves on two plans. One plan has the votes and a critical objection, so the
// policy vetoes any commitment for as long as it counts; the next session, without one, resolves.
import assert from "node:assert/strict";
import { createMacpClient, decisionPolicy, devAgent, refusalOf } from "@agentkeys/macp";
import {
  commitWith,
  createParticipant,
  evaluateWith,
  majorityCommitter,
  majorityVoter,
  voteWith,
} from "@agentkeys/macp/agent";
import { createRuntime } from "@agentkeys/macp/runtime";

await using runtime = createRuntime();
const clientOf = (name: string) => createMacpClient({ runtime, auth: devAgent(name) });
await using lead = clientOf("lead");
await lead.registerPolicy(
  decisionPolicy(
    { policyId: "policy.release" },
    {
      voting: { algorithm: "majority", quorum: { type: "count", value: 2 } },
      objection_handling: { critical_severity_vetoes: true },
      commitment: { require_vote_quorum: true },
    },
  ),
);
const reviewers = ["alice", "bob"];
const release = {
  participants: ["lead", ...reviewers],
  ttlMs: 60_000,
  policy: "policy.release",
};
const outcome = { authorityScope: "releases", reason: "by majority" };

// A critical objection: nobody can commit, whatever the votes say.
{
  await using session = await lead.decision.start({ ...release, intent: "ship on friday" });
  await session.propose("friday", "ship on friday, 17:00");
  await session.raiseObjection("friday", {
    severity: "critical",
    reason: "nobody is on call",
    as: devAgent("bob"),
  });
  await session.vote("friday", "approve");
  await session.vote("friday", "approve", { as: devAgent("alice") });
  assert.equal(session.projection.majorityWinner(), "friday");
  assert.ok(session.projection.isVetoed());
  await assert.rejects(session.commit({ action: "plan.selected", ...outcome }), (error) => {
    assert.equal(refusalOf(error)?.code, "POLICY_DENIED");
    return true;
  });
  await session.cancel("another plan is needed");
  console.log("friday: a majority, and a veto; cancelled");
}

// Agents: each evaluates what is proposed, votes once everybody has evaluated, and the lead commits to the winner.
await using session = await lead.decision.start({ ...release, intent: "pick a day" });
const agents = reviewers.map(async (me) => {
  await using client = clientOf(me);
  await using theirs = await client.decision.join(session.id);
  const participant = createParticipant(theirs, {
    me,
    strategies: [
      evaluateWith(({ option }) => {
        const good = option.includes("monday");
        return { recommendation: good ? "approve" : "reject", confidence: 0.9 };
      }),
      voteWith(majorityVoter()),
    ],
  });
  return await participant.run();
});
const chair = createParticipant(session, {
  me: "lead",
  strategies: [
    commitWith(majorityCommitter({ action: "plan", authorityScope: "releases", quorumSize: 2 })),
  ],
}).run();
await session.propose("monday", "ship on monday, 10:00");

assert.deepEqual(await Promise.all([chair, ...agents]), ["resolved", "resolved", "resolved"]);
const { commitment, state, anomalies } = session.projection;
assert.deepEqual(
  [commitment?.action, commitment?.reason, commitment?.policyVersion],
  ["plan.selected", "winner=monday", "policy.release"],
);
assert.equal(state.evaluations.length, 2);
assert.deepEqual(anomalies, []);
console.log(`monday: ${commitment?.action}, ${commitment?.reason}`);
