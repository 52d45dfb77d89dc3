import { describe, expect, test } from "vitest";
import { createBench, policy } from "../kernel/kernel.test-kit.ts";

const opening = async () => {
  const session = await createBench().open("decision");
  expect(await session.say("alice", "Proposal", { proposalId: "p1", option: "deploy" })).toBe("ok");
  return session;
};
const evaluation = { proposalId: "p1", recommendation: "APPROVE", confidence: 0.5 };
const vote = { proposalId: "p1", vote: "APPROVE" };

test("a decision from proposal to commitment, in upstream's JSON", async () => {
  const session = await createBench().open("decision");
  const { say, commit } = session;
  expect(await session.modeState()).toEqual({
    phase: "Proposal",
    proposals: {},
    evaluations: [],
    objections: [],
    votes: {},
  });
  expect(
    await say("alice", "Proposal", { proposalId: "p1", option: "deploy", rationale: "r" }),
  ).toBe("ok");
  expect(await session.modeState()).toMatchObject({ phase: "Evaluation" });
  expect(
    await say("bob", "Evaluation", { ...evaluation, recommendation: "Review", reason: "hm" }),
  ).toBe("ok");
  expect(
    await say("carol", "Objection", { proposalId: "p1", severity: "HIGH", reason: "risk" }),
  ).toBe("ok");
  expect(await say("bob", "Objection", { proposalId: "p1" })).toBe("ok");
  expect(await say("coordinator", "Vote", { ...vote, vote: "approve", reason: "go" })).toBe("ok");
  expect(await commit("coordinator", "decision.selected")).toBe("ok Resolved");
  expect(await session.modeState()).toEqual({
    phase: "Committed",
    proposals: { p1: { proposal_id: "p1", option: "deploy", rationale: "r", sender: "alice" } },
    evaluations: [
      { proposal_id: "p1", recommendation: "REVIEW", confidence: 0.5, reason: "hm", sender: "bob" },
    ],
    objections: [
      { proposal_id: "p1", reason: "risk", severity: "high", sender: "carol" },
      { proposal_id: "p1", reason: "", severity: "medium", sender: "bob" },
    ],
    votes: {
      p1: {
        coordinator: { proposal_id: "p1", vote: "APPROVE", reason: "go", sender: "coordinator" },
      },
    },
  });
});

test("participants speak; the initiator too only as one of them", async () => {
  const session = await createBench().open("decision", { participants: ["alice", "bob"] });
  const proposal = { proposalId: "p1", option: "deploy" };
  expect(await session.say("coordinator", "Proposal", proposal)).toBe("Forbidden");
  expect(await session.say("mallory", "Proposal", proposal)).toBe("Forbidden");
  expect(await session.say("alice", "Proposal", proposal)).toBe("ok");
  expect(await session.say("mallory", "Vote", vote)).toBe("Forbidden");
  expect(await session.commit("alice", "decision.selected")).toBe("Forbidden");
  expect(await session.commit("coordinator", "decision.selected")).toBe("ok Resolved");
});

test("a session needs participants", async () => {
  const session = await createBench().open("decision", { participants: [] });
  expect(session.started).toBe("InvalidPayload");
});

test("a message type of no decision is forbidden, even to participants", async () => {
  const session = await opening();
  const { raw } = session;
  for (const type of ["Accept", "SessionCancel", "Approve", "toString", "__proto__"]) {
    expect(await raw("alice", type, new Uint8Array())).toMatchObject({ variant: "Forbidden" });
  }
});

describe("proposals", () => {
  test.each([
    ["without an id", { proposalId: " ", option: "deploy" }],
    ["without an option", { proposalId: "p2", option: " " }],
    ["of an id that is taken", { proposalId: "p1", option: "wait" }],
  ])("%s are refused", async (_, payload) => {
    expect(await (await opening()).say("bob", "Proposal", payload)).toBe("InvalidPayload");
  });

  test("may be several, until somebody votes", async () => {
    const { say } = await opening();
    expect(await say("bob", "Proposal", { proposalId: "p2", option: "wait" })).toBe("ok");
    expect(await say("carol", "Vote", { ...vote, proposalId: "p2" })).toBe("ok");
    expect(await say("bob", "Proposal", { proposalId: "p3", option: "never" })).toBe(
      "InvalidPayload",
    );
  });

  test("an id may be any text", async () => {
    const { say, modeState } = await createBench().open("decision");
    for (const proposalId of ["__proto__", "constructor"]) {
      expect(await say("bob", "Proposal", { proposalId, option: "wait" })).toBe("ok");
      expect(await say("bob", "Proposal", { proposalId, option: "wait" })).toBe("InvalidPayload");
    }
    expect(Object.keys((await modeState())["proposals"] ?? {})).toEqual([
      "__proto__",
      "constructor",
    ]);
  });
});

describe("evaluations", () => {
  test.each(["APPROVE", "review", "Block", "REJECT"])("may say %s", async (recommendation) => {
    expect(
      await (await opening()).say("bob", "Evaluation", { ...evaluation, recommendation }),
    ).toBe("ok");
  });
  test.each([
    ["another word", { ...evaluation, recommendation: "MAYBE" }],
    ["no word", { ...evaluation, recommendation: "" }],
    ["too little confidence", { ...evaluation, confidence: -0.01 }],
    ["too much confidence", { ...evaluation, confidence: 1.01 }],
    ["a confidence that is no number", { ...evaluation, confidence: Number.NaN }],
    ["infinite confidence", { ...evaluation, confidence: Infinity }],
    ["an unknown proposal", { ...evaluation, proposalId: "p2" }],
  ])("with %s are refused", async (_, payload) => {
    expect(await (await opening()).say("bob", "Evaluation", payload)).toBe("InvalidPayload");
  });
  test("with 0 and 1 are fine", async () => {
    const { say } = await opening();
    expect(await say("bob", "Evaluation", { ...evaluation, confidence: 0 })).toBe("ok");
    expect(await say("bob", "Evaluation", { ...evaluation, confidence: 1 })).toBe("ok");
  });
  test("end with the first vote", async () => {
    const { say } = await opening();
    await say("carol", "Vote", vote);
    expect(await say("bob", "Evaluation", evaluation)).toBe("InvalidPayload");
    expect(await say("bob", "Objection", { proposalId: "p1" })).toBe("InvalidPayload");
  });
  test("come after a proposal", async () => {
    const { say } = await createBench().open("decision");
    expect(await say("bob", "Evaluation", evaluation)).toBe("InvalidPayload");
  });
  test("a refused NaN leaves the session alive", async () => {
    const { say } = await opening();
    await say("bob", "Evaluation", { ...evaluation, confidence: Number.NaN });
    expect(await say("bob", "Evaluation", evaluation)).toBe("ok");
  });
});

describe("objections", () => {
  test.each(["critical", "High", "MEDIUM", "low", ""])("may be '%s'", async (severity) => {
    expect(await (await opening()).say("bob", "Objection", { proposalId: "p1", severity })).toBe(
      "ok",
    );
  });
  test.each([
    ["of another severity", { proposalId: "p1", severity: "fatal" }],
    ["to an unknown proposal", { proposalId: "p2" }],
  ])("%s are refused", async (_, payload) => {
    expect(await (await opening()).say("bob", "Objection", payload)).toBe("InvalidPayload");
  });
});

describe("votes", () => {
  test.each(["APPROVE", "reject", "Abstain"])("may say %s", async (word) => {
    expect(await (await opening()).say("bob", "Vote", { ...vote, vote: word })).toBe("ok");
  });
  test.each([
    ["another word", { ...vote, vote: "YES" }],
    ["no word", { ...vote, vote: "" }],
    ["an unknown proposal", { ...vote, proposalId: "p2" }],
  ])("with %s are refused", async (_, payload) => {
    expect(await (await opening()).say("bob", "Vote", payload)).toBe("InvalidPayload");
  });
  test("are one for each sender and proposal", async () => {
    const { say } = await opening();
    await say("bob", "Proposal", { proposalId: "p2", option: "wait" });
    expect(await say("bob", "Vote", vote)).toBe("ok");
    expect(await say("bob", "Vote", { ...vote, vote: "REJECT" })).toBe("InvalidPayload");
    expect(await say("bob", "Vote", { ...vote, proposalId: "p2" })).toBe("ok");
  });
  test("come after a proposal", async () => {
    const { say } = await createBench().open("decision");
    expect(await say("bob", "Vote", vote)).toBe("InvalidPayload");
  });
});

describe("a commitment", () => {
  test("needs a proposal, and no vote", async () => {
    const { say, commit } = await createBench().open("decision");
    expect(await commit("coordinator", "decision.selected")).toBe("InvalidPayload");
    await say("bob", "Proposal", { proposalId: "p1", option: "wait" });
    expect(await commit("coordinator", "decision.selected")).toBe("ok Resolved");
  });

  test("is denied by the policy with its reasons, and then the session goes on", async () => {
    const bench = createBench();
    bench.kernel.policies.register(
      policy({ rules: { voting: { algorithm: "majority" } }, mode: "macp.mode.decision.v1" }),
    );
    const session = await bench.open("decision", { policy: "policy.test" });
    await session.say("alice", "Proposal", { proposalId: "p1", option: "deploy" });
    await session.say("bob", "Vote", { ...vote, vote: "REJECT" });
    expect(await session.commit("coordinator", "decision.selected")).toBe("PolicyDenied");
    const last = bench.kernel.history(session.sessionId)?.length;
    expect(last).toBe(3);
    expect(await session.modeState()).toMatchObject({ phase: "Voting" });
    expect(await session.commit("coordinator", "decision.rejected")).toBe("ok Resolved");
  });
});
