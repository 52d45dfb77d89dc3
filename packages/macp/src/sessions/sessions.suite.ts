import { describe, expect, onTestFinished, test } from "vitest";
import type { MacpClient } from "../client/client.ts";
import type { ClientSettings } from "../client/client-surface.ts";
import { bearer } from "../protocol/auth.ts";
import { newSessionId } from "../protocol/ids.ts";
import { decodePayload } from "../protocol/payload.ts";
import { refusalOf } from "../protocol/refusal.ts";
import { ann, bob, cid, eve, party } from "./worlds.test-kit.ts";

const refused = (promise: Promise<unknown>) =>
  promise.then(
    () => "accepted",
    (error: unknown) => refusalOf(error)?.code,
  );
const ends = { authorityScope: "test", reason: "test" };
const text = new TextDecoder();

export type Connect = (settings: ClientSettings) => Promise<MacpClient>;
type ClientOf = (auth?: ClientSettings["auth"]) => Promise<MacpClient>;

/** What a session may rely on, whatever its runtime and the way there. Callers name themselves. */
export function describeSessions(connect: Connect): void {
  const clientOf: ClientOf = async (auth = ann) => {
    const client = await connect({ auth });
    onTestFinished(async () => client.close());
    return client;
  };
  describe("decision and proposal", () => describeAgreement(clientOf));
  describe("task and handoff", () => describeWork(clientOf));
  describe("quorum and multi-round", () => describeCounting(clientOf));
  describe("listening", () => describeListening(clientOf));
}

function describeAgreement(clientOf: ClientOf): void {
  test("decision: propose, evaluate, object, vote, commit", async () => {
    const client = await clientOf();
    await using session = await client.decision.start(party);
    const { projection } = session;
    await session.propose("p", "ship", { rationale: "green", supportingData: "log" });
    await session.evaluate("p", "Approve" as "approve", { confidence: 0.9, as: bob });
    await session.raiseObjection("p", { severity: "critical", reason: "friday", as: cid });
    expect(projection.hasBlockingObjection("p")).toBe(true);
    await session.vote("p", "approve", { as: bob });
    expect(await refused(session.vote("p", "reject", { as: bob }))).toBe("INVALID_ENVELOPE");
    expect(await refused(session.evaluate("p", "review", { as: cid }))).toBe("INVALID_ENVELOPE");
    await session.vote("p", "reject", { as: cid });
    expect([projection.majorityWinner(), projection.voteRatio("p")]).toEqual([undefined, 0.5]);
    expect(text.decode(projection.state.proposals.get("p")?.supportingData)).toBe("log");
    await session.commit({ ...ends, action: "ship.rejected" });
    expect([projection.isPositiveOutcome, projection.anomalies]).toEqual([false, []]);
  });

  test("proposal: offers and counter-offers, until everybody accepts one", async () => {
    const client = await clientOf();
    const two = { ...party, participants: ["ann", "bob"] };
    await using session = await client.proposal.start(two);
    const { projection } = session;
    await session.propose("p", "100", { tags: ["price"], details: "a hundred" });
    await session.counterPropose("q", { supersedes: "p", title: "80" }, { as: bob });
    expect(projection.latestProposal()).toMatchObject({ proposalId: "q", supersedes: "p" });
    await session.reject("p", { reason: "too much", as: bob });
    await session.accept("q");
    expect(await refused(session.commit({ ...ends, action: "price.accepted" }))).toBe(
      "INVALID_ENVELOPE",
    );
    expect(await refused(session.withdraw("q"))).toBe("FORBIDDEN");
    await session.accept("q", { as: bob });
    expect([projection.acceptedProposal(), projection.phase]).toEqual(["q", "Converged"]);
    await session.commit({ ...ends, action: "price.accepted" });
    expect([projection.isCommitted, projection.anomalies]).toEqual([true, []]);
  });

  test("proposal: a terminal rejection ends it, a withdrawal takes it back", async () => {
    const client = await clientOf();
    await using session = await client.proposal.start(party);
    await session.propose("p", "100", { as: bob });
    await session.reject("p", { terminal: true, as: cid });
    expect(session.projection.hasTerminalRejection()).toBe(true);
    await session.withdraw("p", { as: bob });
    expect(session.projection.phase).toBe("Negotiating");
    await session.propose("q", "90", { as: bob });
    await session.reject("q", { terminal: true });
    await session.commit({ ...ends, action: "price.declined" });
    expect(session.projection.isPositiveOutcome).toBe(false);
  });
}

function describeWork(clientOf: ClientOf): void {
  describe("task", () => {
    test("answers name their sender, where the credential does", async () => {
      const client = await clientOf();
      await using session = await client.task.start(party);
      await session.requestTask("t", "sum up");
      await session.acceptTask("t", { as: bob });
      const accept = session.projection.transcript.at(-1);
      expect(accept && decodePayload("task", "TaskAccept", accept.payload).assignee).toBe("bob");
      await session.completeTask("t", { as: bearer("bob") });
      const complete = session.projection.transcript.at(-1);
      expect(complete && decodePayload("task", "TaskComplete", complete.payload).assignee).toBe("");
    });

    test("asked for, accepted, reported on, completed", async () => {
      const client = await clientOf();
      await using session = await client.task.start(party);
      const { projection } = session;
      await session.requestTask("t", "sum up", { requestedAssignee: "bob", input: "[1,2]" });
      expect(await refused(session.acceptTask("t", { as: cid }))).not.toBe("accepted");
      await session.acceptTask("t", { as: bob });
      await session.updateTask("t", { progress: 0.5, status: "adding", as: bob });
      expect([projection.progressOf(), projection.activeTasks().length]).toEqual([0.5, 1]);
      expect(await refused(session.completeTask("t", { as: cid }))).toBe("FORBIDDEN");
      await session.completeTask("t", { output: "3", as: bob });
      expect(text.decode(projection.getTask()?.completion?.output)).toBe("3");
      await session.commit({ ...ends, action: "sum.completed" });
      expect([projection.isPositiveOutcome, projection.anomalies]).toEqual([true, []]);
    });

    test("failed, and worth another try", async () => {
      const client = await clientOf();
      await using session = await client.task.start(party);
      await session.requestTask("t", "sum up", { deadlineMs: 5 });
      await session.acceptTask("t", { as: cid });
      await session.failTask("t", { errorCode: "E1", retryable: true, as: cid });
      expect([session.projection.isRetryable(), session.projection.phase]).toEqual([
        true,
        "Failed",
      ]);
      await session.commit({ ...ends, action: "sum.failed" });
      expect(session.projection.isPositiveOutcome).toBe(false);
    });

    test("turned down", async () => {
      const client = await clientOf();
      await using session = await client.task.start(party);
      await session.requestTask("t", "sum up");
      await session.rejectTask("t", { reason: "busy", as: bob });
      expect(session.projection.getTask()?.refusals).toEqual([{ sender: "bob", reason: "busy" }]);
    });
  });

  test("handoff: declined once, then accepted with context", async () => {
    const client = await clientOf();
    await using session = await client.handoff.start(party);
    const { projection } = session;
    await session.offer("h1", "bob", { scope: "on call", reason: "holiday" });
    await session.decline("h1", { reason: "asleep", as: bob });
    expect(await refused(session.acceptHandoff("h1", { as: bob }))).not.toBe("accepted");
    await session.offer("h2", "cid", { scope: "on call" });
    await session.addContext("h2", "see the runbook");
    await session.addContext("h2", new Uint8Array([1]));
    await session.acceptHandoff("h2", { as: cid });
    expect(projection.getHandoff("h2")?.context.map((c) => c.contentType)).toEqual([
      "text/plain",
      "application/octet-stream",
    ]);
    expect([projection.isDeclined("h1"), projection.isAccepted("h2")]).toEqual([true, true]);
    await session.commit({ ...ends, action: "handoff.accepted" });
    expect([projection.isImplicitlyAccepted("h2"), projection.anomalies]).toEqual([false, []]);
  });
}

function describeCounting(clientOf: ClientOf): void {
  test("quorum: approvals up to the threshold; too early is refused", async () => {
    const client = await clientOf();
    await using session = await client.quorum.start(party);
    const { projection } = session;
    await session.requestApproval("r", "deploy", { requiredApprovals: 2, summary: "v2" });
    await session.approve("r", { as: bob });
    expect([projection.hasQuorum(), projection.commitmentReady()]).toEqual([false, false]);
    expect(await refused(session.commit({ ...ends, action: "deploy.approved" }))).toBe(
      "INVALID_ENVELOPE",
    );
    expect(await refused(session.reject("r", { as: bob }))).toBe("INVALID_ENVELOPE");
    await session.approve("r", { as: cid });
    expect([projection.hasQuorum(), projection.remainingVotesNeeded()]).toEqual([true, 0]);
    await session.commit({ ...ends, action: "deploy.approved" });
    expect([projection.isPositiveOutcome, projection.anomalies]).toEqual([true, []]);
  });

  test("quorum: out of reach", async () => {
    const client = await clientOf();
    await using session = await client.quorum.start(party);
    await session.requestApproval("r", "deploy", { requiredApprovals: 3 });
    await session.abstain("r", { as: bob });
    expect(session.projection.isThresholdUnreachable()).toBe(true);
    await session.commit({ ...ends, action: "deploy.rejected" });
    expect(session.projection.isPositiveOutcome).toBe(false);
  });

  test("multi-round: until everyone says the same", async () => {
    const client = await clientOf();
    await using session = await client.multiRound.start({ ...party, participants: ["bob", "cid"] });
    const { projection } = session;
    await session.contribute("9", { as: bob });
    await session.contribute("11", { as: cid });
    expect(await refused(session.commit({ ...ends, action: "hour.selected" }))).toBe(
      "INVALID_ENVELOPE",
    );
    await session.contribute("9", { as: cid });
    expect([projection.convergedValue(), projection.round]).toEqual(["9", 3]);
    expect(await refused(session.contribute("8", { as: ann }))).not.toBe("accepted");
    await session.commit({ ...ends, action: "hour.selected" });
    expect([projection.isCommitted, projection.anomalies]).toEqual([true, []]);
  });
}

function describeListening(clientOf: ClientOf): void {
  test("a joined session hears all of it, and where it was cancelled", async () => {
    const client = await clientOf();
    await using session = await client.decision.start(party);
    await using theirs = await (await clientOf(bob)).decision.join(session.id);
    const heard: string[] = [];
    const listening = (async () => {
      for await (const { messageType } of theirs.messages()) heard.push(messageType);
    })();
    await session.propose("p", "x");
    expect((await session.suspend("lunch")).state).toBe("SUSPENDED");
    expect(await refused(session.vote("p", "approve"))).toBe("SESSION_NOT_OPEN");
    expect((await session.resume()).state).toBe("OPEN");
    await session.vote("p", "approve");
    expect((await session.cancel("changed our minds")).state).toBe("CANCELLED");
    await listening;
    expect([heard, theirs.ending]).toEqual([["SessionStart", "Proposal", "Vote"], "cancelled"]);
  });

  test("a session that is over tells its history too", async () => {
    const client = await clientOf();
    await using session = await client.decision.start(party);
    await session.propose("p", "x");
    await session.commit({ ...ends, action: "x.selected" });
    await using theirs = await (await clientOf(bob)).decision.join(session.id);
    expect([theirs.projection.isPositiveOutcome, theirs.ending]).toEqual([true, "resolved"]);
  });

  test("strangers may neither listen nor speak", async () => {
    const client = await clientOf();
    await using session = await client.decision.start(party);
    const stranger = await clientOf(eve);
    expect(await refused(stranger.decision.join(session.id))).toBe("FORBIDDEN");
    expect(await refused(session.propose("p", "x", { as: eve }))).toBe("FORBIDDEN");
    await expect(client.decision.join(newSessionId())).rejects.toMatchObject({ code: "not_found" });
  });
}
