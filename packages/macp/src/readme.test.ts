import { expect, onTestFinished, test, vi } from "vitest";
// #region readme
import { createMacpClient, devAgent } from "@agentkeys/macp";
import { createRuntime } from "@agentkeys/macp/runtime";
// #endregion
// #region policy
import { decisionPolicy, refusalOf } from "@agentkeys/macp";
// #endregion
// #region agent
import { createParticipant, evaluateWith, majorityVoter, voteWith } from "@agentkeys/macp/agent";
// #endregion

function printed(): unknown[] {
  const lines: unknown[] = [];
  vi.spyOn(console, "log").mockImplementation((...line: unknown[]) => void lines.push(...line));
  onTestFinished(() => void vi.restoreAllMocks());
  return lines;
}

test("the README's first snippet", async () => {
  const lines = printed();
  // #region readme

  await using runtime = createRuntime(); // in this process, no socket
  await using client = createMacpClient({ runtime, auth: devAgent("coordinator") });

  await using session = await client.decision.start({
    intent: "pick a deployment plan",
    participants: ["coordinator", "alice", "bob"],
    ttlMs: 60_000,
  });
  await session.propose("p1", "deploy v2.1", { rationale: "tests passed" });
  await session.evaluate("p1", "approve", {
    confidence: 0.94,
    reason: "low risk",
    as: devAgent("alice"),
  });
  await session.vote("p1", "approve", { as: devAgent("bob") });

  const winner = session.projection.majorityWinner();
  if (winner && !session.projection.hasBlockingObjection(winner)) {
    await session.commit({
      action: "deployment.approved",
      authorityScope: "release-management",
      reason: `winner=${winner}`,
    });
  }
  console.log(session.projection.phase, session.projection.isPositiveOutcome); // Committed true
  // #endregion
  expect(lines).toEqual(["Committed", true]);
  expect(runtime.kernel.history(session.id)).toHaveLength(5);
});

test("policies and refusals", async () => {
  const lines = printed();
  await using runtime = createRuntime();
  await using client = createMacpClient({ runtime, auth: devAgent("coordinator") });
  const participants = ["coordinator", "alice", "bob"];
  // #region policy

  await client.registerPolicy(
    decisionPolicy(
      { policyId: "policy.release" },
      {
        voting: { algorithm: "majority", quorum: { type: "count", value: 2 } },
        commitment: { require_vote_quorum: true },
      },
    ),
  );
  await using session = await client.decision.start({
    participants,
    ttlMs: 60_000,
    policy: "policy.release",
  });
  await session.propose("p1", "deploy v2.1");
  await session.vote("p1", "approve");
  try {
    await session.commit({ action: "plan.selected", authorityScope: "release", reason: "mine" });
  } catch (error) {
    console.log(refusalOf(error)?.code); // POLICY_DENIED: two have to vote
  }
  // #endregion
  expect(lines).toEqual(["POLICY_DENIED"]);
});

test("an agent that takes part by itself", async () => {
  await using runtime = createRuntime();
  await using client = createMacpClient({ runtime, auth: devAgent("coordinator") });
  await using theirs = await client.decision.start({
    participants: ["coordinator", "alice"],
    ttlMs: 60_000,
  });
  const sessionId = theirs.id;
  await using alice = createMacpClient({ runtime, auth: devAgent("alice") });
  const review = async (option: string) => ({ ok: option.includes("v2"), why: "read it" });
  const running = (async () => {
    // #region agent

    const session = await alice.decision.join(sessionId);
    const participant = createParticipant(session, {
      me: "alice",
      on: { Objection: ({ payload, sender }) => console.log(`${sender}: ${payload.reason}`) },
      strategies: [
        evaluateWith(async ({ option }) => {
          const { ok, why } = await review(option); // your model
          return { recommendation: ok ? "approve" : "reject", confidence: 0.9, reason: why };
        }),
        voteWith(majorityVoter()), // once everyone has evaluated
      ],
    });
    await participant.run(); // until the session is resolved, expired or cancelled
    // #endregion
    return participant.cursor;
  })();
  await theirs.propose("p1", "deploy v2.1");
  expect(await theirs.until((projection) => projection.majorityWinner())).toBe("p1");
  await theirs.commit({ action: "plan.selected", authorityScope: "release", reason: "p1" });
  expect(await running).toBe(5);
});
