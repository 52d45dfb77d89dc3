// Quorum: two of three must approve before data is deleted. Too few, and the request is settled the other way.
import assert from "node:assert/strict";
import {
  commitmentHash,
  createMacpClient,
  devAgent,
  quorumPolicy,
  refusalOf,
} from "@agentkeys/macp";
import { createRuntime } from "@agentkeys/macp/runtime";

await using runtime = createRuntime();
await using client = createMacpClient({ runtime, auth: devAgent("ops") });
await client.registerPolicy(
  quorumPolicy(
    { policyId: "policy.two-of-three" },
    { threshold: { type: "n_of_m", value: 2 }, commitment: { authority: "initiator_only" } },
  ),
);

type Answer = "approve" | "reject" | "abstain";

async function deleteTable(table: string, answers: Readonly<Record<string, Answer>>) {
  await using session = await client.quorum.start({
    intent: `delete ${table}`,
    participants: Object.keys(answers),
    ttlMs: 60_000,
    policy: "policy.two-of-three",
  });
  // A policy of the session outranks what the request asks for: one approval will not do.
  await session.requestApproval("delete", `delete ${table}`, { requiredApprovals: 1 });
  const { projection } = session;
  const needed = 2;
  for (const [name, answer] of Object.entries(answers)) {
    if (projection.commitmentReady(needed)) break;
    await session[answer]("delete", { as: devAgent(name) });
    if (projection.commitmentReady(needed)) break;
    await assert.rejects(
      session.commit({ action: "deletion.approved", authorityScope: "data", reason: "hurry" }),
      (error) => refusalOf(error)?.code === "INVALID_ENVELOPE",
    );
  }
  const approved = projection.hasQuorum(needed);
  assert.equal(projection.isThresholdUnreachable(needed), !approved);
  await session.commit({
    action: approved ? "deletion.approved" : "deletion.rejected",
    authorityScope: "data",
    reason: `${projection.approvalCount()} of ${needed}`,
  });
  assert.ok(projection.commitment);
  assert.equal(projection.isPositiveOutcome, approved);
  assert.match(commitmentHash(projection.commitment), /^sha256:[0-9a-f]{64}$/);
  return { approved, voted: projection.votedSenders() };
}

const logs = await deleteTable("old_logs", { ann: "approve", bob: "abstain", cid: "approve" });
assert.deepEqual(logs, { approved: true, voted: ["ann", "bob", "cid"] });
console.log("old_logs: approved by two of three");

const users = await deleteTable("users", { ann: "reject", bob: "reject", cid: "approve" });
assert.deepEqual(users, { approved: false, voted: ["ann", "bob"] });
console.log("users: out of reach after two rejections");
