import { describe, expect, test } from "vitest";
import { createBench, policy } from "../kernel/kernel.test-kit.ts";

const two = { participants: ["coordinator", "alice"] };
const mode = "macp.mode.proposal.v1";

async function negotiation(rules: object = {}, init: object = two) {
  const bench = createBench();
  bench.kernel.policies.register(policy({ mode, rules }));
  const session = await bench.open("proposal", { ...init, policy: "policy.test" });
  expect(await session.say("alice", "Proposal", { proposalId: "p1", title: "t" })).toBe("ok");
  const phase = async () => (await session.modeState())["phase"];
  return { ...session, phase };
}

test("both accept, one commits, in upstream's JSON", async () => {
  const { say, commit, phase, modeState } = await negotiation();
  const counter = { proposalId: "p2", supersedesProposalId: "p1", details: Uint8Array.of(1, 255) };
  expect(await say("coordinator", "CounterProposal", counter)).toBe("ok");
  expect(await say("coordinator", "Accept", { proposalId: "p2" })).toBe("ok");
  expect(await phase()).toBe("Negotiating");
  expect(await say("alice", "Accept", { proposalId: "p2" })).toBe("ok");
  expect(await phase()).toBe("Converged");
  expect(await commit("coordinator", "proposal.accepted")).toBe("ok Resolved");
  expect(await modeState()).toEqual({
    phase: "Committed",
    proposals: {
      p1: {
        proposal_id: "p1",
        title: "t",
        summary: "",
        details: [],
        tags: [],
        proposer: "alice",
        supersedes_proposal_id: null,
        disposition: "Live",
      },
      p2: {
        proposal_id: "p2",
        title: "",
        summary: "",
        details: [1, 255],
        tags: [],
        proposer: "coordinator",
        supersedes_proposal_id: "p1",
        disposition: "Live",
      },
    },
    accepts: { coordinator: "p2", alice: "p2" },
    rejections: [],
    terminal_rejections: [],
  });
});

describe("messages out of order", () => {
  test.each([
    ["a proposal without an id", "Proposal", { proposalId: " " }],
    ["a proposal of an id that is taken", "Proposal", { proposalId: "p1" }],
    ["a counter to nothing", "CounterProposal", { proposalId: "p2", supersedesProposalId: "p9" }],
    ["a counter that supersedes none", "CounterProposal", { proposalId: "p2" }],
    [
      "a counter of an id that is taken",
      "CounterProposal",
      { proposalId: "p1", supersedesProposalId: "p1" },
    ],
    ["an acceptance of nothing", "Accept", { proposalId: "p9" }],
    ["a rejection of nothing", "Reject", { proposalId: "p9" }],
    ["a withdrawal of nothing", "Withdraw", { proposalId: "p9" }],
    ["a withdrawal without an id", "Withdraw", {}],
  ] as const)("%s", async (_, type, payload) => {
    expect(await (await negotiation()).say("alice", type, payload as never)).toBe("InvalidPayload");
  });

  test("from a stranger", async () => {
    const { say } = await negotiation();
    expect(await say("mallory", "Accept", { proposalId: "p1" })).toBe("Forbidden");
  });

  test("of another mode", async () => {
    const { raw } = await negotiation();
    expect(await raw("alice", "Vote", new Uint8Array())).toMatchObject({
      variant: "InvalidPayload",
    });
    expect(await raw("mallory", "Vote", new Uint8Array())).toMatchObject({ variant: "Forbidden" });
  });
});

test("a counter-proposal leaves the first one open", async () => {
  const { say, phase } = await negotiation();
  await say("coordinator", "CounterProposal", { proposalId: "p2", supersedesProposalId: "p1" });
  await say("coordinator", "Accept", { proposalId: "p1" });
  await say("alice", "Accept", { proposalId: "p1" });
  expect(await phase()).toBe("Converged");
});

test("max_rounds counts counter-proposals", async () => {
  const { say } = await negotiation({ counter_proposal: { max_rounds: 1 } });
  const counter = (proposalId: string) => ({ proposalId, supersedesProposalId: "p1" });
  expect(await say("coordinator", "CounterProposal", counter("p2"))).toBe("ok");
  expect(await say("coordinator", "CounterProposal", counter("p3"))).toBe("InvalidPayload");
  expect(await say("coordinator", "Proposal", { proposalId: "p4" })).toBe("ok");
});

test("the latest acceptance of a participant counts", async () => {
  const { say, phase, commit } = await negotiation();
  await say("coordinator", "Proposal", { proposalId: "p2" });
  await say("coordinator", "Accept", { proposalId: "p1" });
  await say("alice", "Accept", { proposalId: "p1" });
  await say("alice", "Accept", { proposalId: "p2" });
  expect(await phase()).toBe("Negotiating");
  expect(await commit("coordinator", "proposal.accepted")).toBe("InvalidPayload");
});

describe("a withdrawal", () => {
  test("is its proposer's, once", async () => {
    const { say } = await negotiation();
    expect(await say("coordinator", "Withdraw", { proposalId: "p1" })).toBe("Forbidden");
    expect(await say("alice", "Withdraw", { proposalId: "p1" })).toBe("ok");
    expect(await say("alice", "Withdraw", { proposalId: "p1" })).toBe("InvalidPayload");
    expect(await say("coordinator", "Accept", { proposalId: "p1" })).toBe("InvalidPayload");
    expect(await say("coordinator", "Reject", { proposalId: "p1" })).toBe("InvalidPayload");
  });

  test("takes its acceptances and its terminal rejections with it", async () => {
    const { say, phase, modeState } = await negotiation();
    await say("coordinator", "Proposal", { proposalId: "p2" });
    await say("coordinator", "Accept", { proposalId: "p1" });
    await say("alice", "Accept", { proposalId: "p2" });
    await say("coordinator", "Reject", { proposalId: "p1", terminal: true, reason: "no" });
    expect(await phase()).toBe("TerminalRejected");
    await say("alice", "Withdraw", { proposalId: "p1" });
    expect(await phase()).toBe("Negotiating");
    const { accepts, terminal_rejections, rejections } = await modeState();
    expect({ accepts, terminal_rejections, rejections }).toEqual({
      accepts: { alice: "p2" },
      terminal_rejections: [],
      rejections: [{ proposal_id: "p1", sender: "coordinator", reason: "no", terminal: true }],
    });
  });
});

describe("a rejection", () => {
  test("ends the negotiation only where it says so", async () => {
    const { say, phase, commit } = await negotiation();
    expect(await say("coordinator", "Reject", { proposalId: "p1" })).toBe("ok");
    expect(await phase()).toBe("Negotiating");
    expect(await commit("coordinator", "proposal.rejected")).toBe("InvalidPayload");
    expect(await say("coordinator", "Reject", { proposalId: "p1", terminal: true })).toBe("ok");
    expect(await phase()).toBe("TerminalRejected");
    expect(await commit("coordinator", "proposal.rejected")).toBe("ok Resolved");
  });

  test("or where the policy says so", async () => {
    const { say, phase } = await negotiation({ rejection: { terminal_on_any_reject: true } });
    await say("coordinator", "Reject", { proposalId: "p1" });
    expect(await phase()).toBe("TerminalRejected");
  });
});

describe("the criterion", () => {
  const three = { participants: ["coordinator", "alice", "bob"] };
  test("all_parties: everybody, the proposer too", async () => {
    const { say, phase } = await negotiation({}, three);
    await say("coordinator", "Accept", { proposalId: "p1" });
    await say("bob", "Accept", { proposalId: "p1" });
    expect(await phase()).toBe("Negotiating");
    await say("alice", "Accept", { proposalId: "p1" });
    expect(await phase()).toBe("Converged");
  });
  test("counterparty: everybody but the proposer", async () => {
    const { say, phase } = await negotiation({ acceptance: { criterion: "counterparty" } }, three);
    await say("bob", "Accept", { proposalId: "p1" });
    expect(await phase()).toBe("Negotiating");
    await say("coordinator", "Accept", { proposalId: "p1" });
    expect(await phase()).toBe("Converged");
  });
  test("initiator: the initiator", async () => {
    const { say, phase } = await negotiation({ acceptance: { criterion: "initiator" } }, three);
    await say("bob", "Accept", { proposalId: "p1" });
    expect(await phase()).toBe("Negotiating");
    await say("coordinator", "Accept", { proposalId: "p1" });
    expect(await phase()).toBe("Converged");
  });
});

test("a session needs participants", async () => {
  expect((await createBench().open("proposal", { participants: [] })).started).toBe(
    "InvalidPayload",
  );
});
