import { describe, expect, test } from "vitest";
import { createBench, policy } from "../kernel/kernel.test-kit.ts";

const people = ["alice", "bob", "carol"];
const r1 = { requestId: "r1" };

async function asked(requiredApprovals: number, rules: object = {}, participants = people) {
  const bench = createBench();
  bench.kernel.policies.register(policy({ mode: "macp.mode.quorum.v1", rules }));
  const session = await bench.open("quorum", { participants, policy: "policy.test" });
  expect(await session.say("coordinator", "ApprovalRequest", { ...r1, requiredApprovals })).toBe(
    "ok",
  );
  return session;
}

test("a request, ballots and a commitment, in upstream's JSON", async () => {
  const session = await createBench().open("quorum", { participants: people });
  const { say, commit, modeState } = session;
  expect(await modeState()).toEqual({ request: null, ballots: {} });
  const request = {
    ...r1,
    action: "deploy",
    summary: "v2",
    details: Uint8Array.of(9),
    requiredApprovals: 1,
  };
  await say("coordinator", "ApprovalRequest", request);
  await say("bob", "Reject", { ...r1, reason: "no" });
  await say("alice", "Approve", { ...r1, reason: "yes" });
  await say("carol", "Abstain", r1);
  expect(await commit("coordinator", "quorum.approved")).toBe("ok Resolved");
  expect(await modeState()).toEqual({
    request: {
      request_id: "r1",
      action: "deploy",
      summary: "v2",
      details: [9],
      required_approvals: 1,
      requested_by: "coordinator",
    },
    ballots: {
      alice: { request_id: "r1", choice: "Approve", sender: "alice", reason: "yes" },
      bob: { request_id: "r1", choice: "Reject", sender: "bob", reason: "no" },
      carol: { request_id: "r1", choice: "Abstain", sender: "carol", reason: "" },
    },
  });
});

describe("the request", () => {
  test("is the initiator's, who need not be a participant and then has no ballot", async () => {
    const { say } = await createBench().open("quorum", { participants: people });
    expect(await say("alice", "ApprovalRequest", { ...r1, requiredApprovals: 1 })).toBe(
      "Forbidden",
    );
    expect(await say("coordinator", "ApprovalRequest", { ...r1, requiredApprovals: 1 })).toBe("ok");
    expect(await say("coordinator", "Approve", r1)).toBe("Forbidden");
  });
  test.each([
    ["without an id", { requestId: "", requiredApprovals: 1 }],
    ["for no approvals", { ...r1, requiredApprovals: 0 }],
    ["for more than there are", { ...r1, requiredApprovals: 4 }],
  ])("%s is refused", async (_, payload) => {
    const { say } = await createBench().open("quorum", { participants: people });
    expect(await say("coordinator", "ApprovalRequest", payload)).toBe("InvalidPayload");
  });
  test("is one", async () => {
    const { say } = await asked(1);
    expect(
      await say("coordinator", "ApprovalRequest", { requestId: "r2", requiredApprovals: 1 }),
    ).toBe("InvalidPayload");
  });
  test("needs a session with participants", async () => {
    expect((await createBench().open("quorum", { participants: [] })).started).toBe(
      "InvalidPayload",
    );
  });
});

describe.each(["Approve", "Reject", "Abstain"] as const)("%s", (type) => {
  test("answers the request, once, from a participant", async () => {
    const { say } = await asked(2);
    expect(await say("mallory", type, r1)).toBe("Forbidden");
    expect(await say("alice", type, { requestId: "r2" })).toBe("InvalidPayload");
    expect(await say("alice", type, r1)).toBe("ok");
    for (const next of ["Approve", "Reject", "Abstain"] as const) {
      expect(await say("alice", next, r1)).toBe("InvalidPayload");
    }
  });
  test("comes after the request", async () => {
    const { say } = await createBench().open("quorum", { participants: people });
    expect(await say("alice", type, r1)).toBe("InvalidPayload");
    expect(await say("alice", type, { requestId: "" })).toBe("InvalidPayload");
  });
});

describe("readiness", () => {
  test("the threshold is reached", async () => {
    const { say, commit } = await asked(2);
    expect(await commit("coordinator", "quorum.approved")).toBe("InvalidPayload");
    await say("alice", "Approve", r1);
    expect(await commit("coordinator", "quorum.approved")).toBe("InvalidPayload");
    await say("bob", "Approve", r1);
    expect(await commit("coordinator", "quorum.approved")).toBe("ok Resolved");
  });
  test("or out of reach", async () => {
    const { say, commit } = await asked(2);
    await say("alice", "Reject", r1);
    expect(await commit("coordinator", "quorum.rejected")).toBe("InvalidPayload");
    await say("bob", "Abstain", r1);
    expect(await commit("coordinator", "quorum.rejected")).toBe("ok Resolved");
  });
  test("the outcome is the committer's where no policy asks", async () => {
    const failed = await asked(3);
    await failed.say("alice", "Reject", r1);
    expect(await failed.commit("coordinator", "quorum.approved")).toBe("ok Resolved");
    const passed = await asked(1);
    await passed.say("alice", "Approve", r1);
    expect(await passed.commit("coordinator", "quorum.rejected")).toBe("ok Resolved");
  });
});

describe("a policy's threshold", () => {
  const threshold = (type: string, value: number) => ({ threshold: { type, value } });

  test.each([
    ["n_of_m", 2, 2],
    ["count", 2, 2],
    ["percentage", 50, 2],
    ["percentage", 67, 3],
    ["n_of_m", 1.5, 2],
    ["n_of_m", 0.5, 1],
  ])("%s %d of three replaces the request's: %d", async (type, value, needed) => {
    const { say, commit } = await asked(3, threshold(type, value));
    for (const who of people.slice(0, needed - 1)) await say(who, "Approve", r1);
    expect(await commit("coordinator", "quorum.approved")).toBe("InvalidPayload");
    await say(people[needed - 1] ?? "", "Approve", r1);
    expect(await commit("coordinator", "quorum.approved")).toBe("ok Resolved");
  });
  test("denies a positive commitment when it is out of reach, and allows a negative one", async () => {
    const { say, commit } = await asked(1, threshold("n_of_m", 3));
    await say("alice", "Approve", r1);
    await say("bob", "Reject", r1);
    expect(await commit("coordinator", "quorum.approved")).toBe("PolicyDenied");
    expect(await commit("coordinator", "quorum.rejected")).toBe("ok Resolved");
  });
  test("of 0 asks for nothing: the request's counts", async () => {
    const { say, commit } = await asked(1, threshold("n_of_m", 0));
    expect(await commit("coordinator", "quorum.approved")).toBe("InvalidPayload");
    await say("alice", "Approve", r1);
    expect(await commit("coordinator", "quorum.approved")).toBe("ok Resolved");
  });
});
