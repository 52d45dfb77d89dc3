import { describe, expect, test } from "vitest";
import { createDecisionProjection } from "./decision.ts";
import { historyOf } from "./history.test-kit.ts";

const { start, say, commit, raw } = historyOf("decision");
const propose = (id: string, sender = "ann") =>
  say(sender, "Proposal", { proposalId: id, option: `option ${id}` });
const vote = (id: string, sender: string, word: string) =>
  say(sender, "Vote", { proposalId: id, vote: word });
const evaluate = (id: string, recommendation: string, confidence: number) =>
  say("bob", "Evaluation", { proposalId: id, recommendation, confidence });
const object = (id: string, severity: string) =>
  say("cid", "Objection", { proposalId: id, severity, reason: "no" });

function after(...history: Parameters<ReturnType<typeof createDecisionProjection>["apply"]>[0][]) {
  const projection = createDecisionProjection();
  for (const envelope of [start("ann", ["ann", "bob", "cid"]), ...history]) {
    projection.apply(envelope);
  }
  return projection;
}

describe("a decision's history", () => {
  test("phases follow the messages; Committed is final", () => {
    const projection = createDecisionProjection();
    const phases = [start("ann", ["ann", "bob"]), propose("p"), vote("p", "bob", "APPROVE")].map(
      (envelope) => (projection.apply(envelope), projection.phase),
    );
    expect(phases).toEqual(["Proposal", "Evaluation", "Voting"]);
    expect(projection.isPositiveOutcome).toBeUndefined();
    projection.apply(commit("ann", "plan.selected"));
    projection.apply(vote("p", "ann", "REJECT"));
    expect([projection.phase, projection.isCommitted, projection.isPositiveOutcome]).toEqual([
      "Committed",
      true,
      true,
    ]);
    expect(projection.commitment?.action).toBe("plan.selected");
  });

  test("knows who takes part, and keeps every message in order", () => {
    const history = [propose("p"), vote("p", "bob", "APPROVE")];
    const projection = after(...history);
    expect([projection.initiator, projection.participants]).toEqual(["ann", ["ann", "bob", "cid"]]);
    expect(projection.transcript.map(({ messageType }) => messageType)).toEqual([
      "SessionStart",
      "Proposal",
      "Vote",
    ]);
  });

  test("a message that comes twice counts once; one of another mode not at all", () => {
    const projection = after(propose("p"));
    const ballot = vote("p", "bob", "APPROVE");
    expect([projection.apply(ballot), projection.apply(ballot)]).toEqual(["applied", "duplicate"]);
    expect(projection.apply(historyOf("quorum").say("bob", "Approve", { requestId: "p" }))).toBe(
      "ignored",
    );
    expect(projection.apply(raw("bob", "Gossip", new Uint8Array()))).toBe("ignored");
    expect(projection.voteTotals().get("p")).toEqual({ approve: 1, reject: 0, abstain: 0 });
    expect(projection.transcript).toHaveLength(3);
  });

  test("what no runtime should have accepted is an anomaly and changes nothing", () => {
    const projection = after(propose("p"), vote("p", "bob", "APPROVE"));
    const { state } = projection;
    const again = vote("p", "bob", "REJECT");
    expect(projection.apply(again)).toBe("anomaly");
    expect(projection.apply(vote("q", "bob", "APPROVE"))).toBe("anomaly");
    expect(projection.apply(raw("bob", "Vote", new Uint8Array([255])))).toBe("anomaly");
    expect(projection.state).toBe(state);
    expect(projection.anomalies.map(({ kind, subjectId }) => [kind, subjectId])).toEqual([
      ["duplicate_vote", "p"],
      ["unknown_subject", "q"],
      ["undecodable_payload", ""],
    ]);
    expect(projection.anomalies[0]).toMatchObject({
      messageId: again.messageId,
      messageType: "Vote",
      sender: "bob",
    });
    expect(projection.apply(again)).toBe("duplicate");
  });
});

describe("majority", () => {
  test("is more than half of those who decided anything", () => {
    expect(after(propose("p")).majorityWinner()).toBeUndefined();
    expect(after(propose("p"), vote("p", "bob", "approve")).majorityWinner()).toBe("p");
    const split = [vote("p", "bob", "APPROVE"), vote("p", "cid", "REJECT")];
    expect(after(propose("p"), ...split).majorityWinner()).toBeUndefined();
    expect(after(propose("p"), ...split, vote("p", "ann", "APPROVE")).majorityWinner()).toBe("p");
  });

  test("abstaining decides nothing", () => {
    const abstained = [vote("p", "ann", "ABSTAIN"), vote("p", "cid", "ABSTAIN")];
    expect(after(propose("p"), ...abstained).majorityWinner()).toBeUndefined();
    const projection = after(propose("p"), ...abstained, vote("p", "bob", "APPROVE"));
    expect([projection.majorityWinner(), projection.voteRatio("p")]).toEqual(["p", 1]);
  });

  test("a voter of several proposals is one voter", () => {
    const two = [propose("p"), propose("q", "bob")];
    const both = ["ann", "bob", "cid"].map((voter) => vote("p", voter, "APPROVE"));
    expect(after(...two, ...both, vote("q", "ann", "APPROVE")).majorityWinner()).toBe("p");
    const tied = ["ann", "bob", "cid"].map((voter) => vote("q", voter, "APPROVE"));
    expect(after(...two, ...both, ...tied).majorityWinner()).toBeUndefined();
  });

  test("ratio is per proposal, 0 without a decisive vote", () => {
    const projection = after(
      propose("p"),
      propose("q"),
      vote("p", "ann", "APPROVE"),
      vote("p", "bob", "APPROVE"),
      vote("p", "cid", "REJECT"),
    );
    expect([projection.voteRatio("p"), projection.voteRatio("q")]).toEqual([2 / 3, 0]);
  });
});

test("only critical objections block, each its proposal; a veto counts them all", () => {
  const projection = after(
    propose("p"),
    propose("q"),
    object("p", "HIGH"),
    object("q", "critical"),
    object("p", ""),
  );
  expect(projection.hasBlockingObjection()).toBe(true);
  expect(projection.hasBlockingObjection("q")).toBe(true);
  expect(projection.hasBlockingObjection("p")).toBe(false);
  expect([projection.isVetoed(), projection.isVetoed(2)]).toEqual([true, false]);
  expect(projection.state.objections.map(({ severity }) => severity)).toEqual([
    "high",
    "critical",
    "medium",
  ]);
});

test("evaluations: REVIEW asks for another look and qualifies for nothing", () => {
  const projection = after(
    propose("p"),
    propose("q"),
    evaluate("p", "approve", 0.9),
    evaluate("p", "REVIEW", 1),
    evaluate("q", "BLOCK", 0.2),
  );
  expect(projection.reviewEvaluations()).toHaveLength(1);
  expect(projection.reviewEvaluations("q")).toEqual([]);
  expect(projection.qualifyingEvaluations().map((e) => e.recommendation)).toEqual([
    "APPROVE",
    "BLOCK",
  ]);
  expect(projection.qualifyingEvaluations(0.5).map((e) => e.recommendation)).toEqual(["APPROVE"]);
});
