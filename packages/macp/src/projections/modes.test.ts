import { describe, expect, test } from "vitest";
import type { Envelope } from "../generated/macp/v1/envelope_pb.ts";
import { createHandoffProjection } from "./handoff.ts";
import { historyOf } from "./history.test-kit.ts";
import { createMultiRoundProjection } from "./multi-round.ts";
import { type Projection, replay } from "./projection.ts";
import { createProposalProjection } from "./proposal.ts";
import { createQuorumProjection } from "./quorum.ts";
import { createTaskProjection } from "./task.ts";

function applied<P extends Projection>(projection: P, ...history: Envelope[]): P {
  for (const envelope of history) projection.apply(envelope);
  return projection;
}

describe("proposal", () => {
  const { start, say } = historyOf("proposal");
  const begin = start("ann", ["ann", "bob"]);
  const offer = (id: string, sender = "ann") =>
    say(sender, "Proposal", { proposalId: id, title: id });
  const accept = (id: string, sender: string) => say(sender, "Accept", { proposalId: id });

  test("a countered proposal stays live; the newest live one is the latest", () => {
    const projection = applied(
      createProposalProjection(),
      begin,
      offer("p"),
      say("bob", "CounterProposal", { proposalId: "q", supersedesProposalId: "p", title: "q" }),
    );
    expect(projection.liveProposals().map(({ proposalId }) => proposalId)).toEqual(["p", "q"]);
    expect(projection.latestProposal()).toMatchObject({
      proposalId: "q",
      supersedes: "p",
      proposer: "bob",
    });
    projection.apply(say("bob", "Withdraw", { proposalId: "q" }));
    expect(projection.latestProposal()?.proposalId).toBe("p");
    expect([projection.statusOf("q"), projection.statusOf("r")]).toEqual(["withdrawn", undefined]);
  });

  test("converges on what everybody accepted last", () => {
    const projection = applied(
      createProposalProjection(),
      begin,
      offer("p"),
      offer("q", "bob"),
      accept("p", "ann"),
      accept("q", "bob"),
    );
    expect([projection.phase, projection.acceptedProposal()]).toEqual(["Negotiating", undefined]);
    expect(projection.acceptedProposal("initiator")).toBe("p");
    projection.apply(accept("q", "ann"));
    expect([projection.phase, projection.acceptedProposal()]).toEqual(["Converged", "q"]);
    expect([projection.isAccepted("q"), projection.isAccepted("p")]).toEqual([true, false]);
  });

  test("a counterparty's word settles it where the criterion says so", () => {
    const projection = applied(createProposalProjection(), begin, offer("p"), accept("p", "bob"));
    expect(projection.isAccepted("p")).toBe(false);
    expect(projection.isAccepted("p", "counterparty")).toBe(true);
  });

  test("withdrawing takes acceptances and terminal rejections along", () => {
    const projection = applied(
      createProposalProjection(),
      begin,
      offer("p"),
      accept("p", "bob"),
      say("bob", "Reject", { proposalId: "p", terminal: true }),
    );
    expect([projection.phase, projection.statusOf("p")]).toEqual(["TerminalRejected", "rejected"]);
    expect([projection.activeProposals().length, projection.liveProposals().length]).toEqual([
      0, 1,
    ]);
    projection.apply(say("ann", "Withdraw", { proposalId: "p" }));
    expect([projection.phase, projection.hasTerminalRejection()]).toEqual(["Negotiating", false]);
    expect(projection.state.accepts.size).toBe(0);
    expect(projection.apply(accept("p", "bob"))).toBe("anomaly");
  });
});

describe("task", () => {
  const { start, say } = historyOf("task");
  const asked = [
    start("ann", ["ann", "bob", "cid"]),
    say("ann", "TaskRequest", { taskId: "t", title: "tidy up", deadlineUnixMs: 7n }),
  ];

  test("request, accept, progress, completion", () => {
    const projection = applied(createTaskProjection(), ...asked);
    expect([projection.phase, projection.isAccepted(), projection.progressOf()]).toEqual([
      "Requested",
      false,
      undefined,
    ]);
    applied(
      projection,
      say("bob", "TaskAccept", { taskId: "t" }),
      say("bob", "TaskUpdate", { taskId: "t", progress: 0.5, message: "half" }),
    );
    expect(projection.activeTasks().map(({ assignee }) => assignee)).toEqual(["bob"]);
    expect(projection.latestProgress("t")).toMatchObject({ progress: 0.5, message: "half" });
    projection.apply(say("bob", "TaskComplete", { taskId: "t", summary: "tidy" }));
    expect([projection.isCompleted(), projection.isFailed(), projection.activeTasks()]).toEqual([
      true,
      false,
      [],
    ]);
    expect(projection.getTask()).toMatchObject({
      deadlineMs: 7,
      completion: { summary: "tidy" },
    });
  });

  test("a second acceptance is an anomaly; the assignee's rejection gives the task back", () => {
    const projection = applied(
      createTaskProjection(),
      ...asked,
      say("bob", "TaskAccept", { taskId: "t" }),
      say("cid", "TaskAccept", { taskId: "t" }),
    );
    expect(projection.anomalies).toMatchObject([{ kind: "duplicate_task_accept", sender: "cid" }]);
    projection.apply(say("cid", "TaskReject", { taskId: "t" }));
    expect([projection.getTask()?.assignee, projection.phase]).toEqual(["bob", "Accepted"]);
    projection.apply(say("bob", "TaskReject", { taskId: "t", reason: "busy" }));
    expect([projection.getTask()?.assignee, projection.phase]).toEqual([undefined, "Rejected"]);
    projection.apply(say("cid", "TaskAccept", { taskId: "t" }));
    expect(projection.getTask()?.assignee).toBe("cid");
  });

  test("a failure says whether another try may help", () => {
    const projection = applied(
      createTaskProjection(),
      ...asked,
      say("bob", "TaskAccept", { taskId: "t" }),
      say("bob", "TaskFail", { taskId: "t", errorCode: "E", retryable: true }),
    );
    expect([projection.isFailed("t"), projection.isRetryable("t")]).toEqual([true, true]);
    expect([projection.isFailed("u"), projection.getTask("u")]).toEqual([false, undefined]);
  });
});

describe("handoff", () => {
  const { start, say, commit } = historyOf("handoff");
  const offered = [
    start("ann", ["ann", "bob"]),
    say("ann", "HandoffOffer", { handoffId: "h", targetParticipant: "bob", scope: "on call" }),
    say("ann", "HandoffContext", { handoffId: "h", contentType: "text/plain" }),
  ];

  test("an offer is pending until its target answers, and is then settled", () => {
    const projection = applied(createHandoffProjection(), ...offered);
    expect(projection.activeOffer()).toMatchObject({ handoffId: "h", disposition: "Offered" });
    expect(projection.getHandoff("h")?.context).toHaveLength(1);
    projection.apply(say("bob", "HandoffAccept", { handoffId: "h" }));
    expect([projection.phase, projection.isAccepted(), projection.hasAcceptedOffer()]).toEqual([
      "Accepted",
      true,
      true,
    ]);
    expect([projection.pendingHandoffs(), projection.isImplicitlyAccepted()]).toEqual([[], false]);
    expect(projection.apply(say("bob", "HandoffDecline", { handoffId: "h" }))).toBe("anomaly");
    expect(projection.anomalies).toMatchObject([{ kind: "settled_handoff", subjectId: "h" }]);
    expect(projection.isDeclined()).toBe(false);
  });

  test("committed without an answer: time accepted it", () => {
    const projection = applied(
      createHandoffProjection(),
      ...offered,
      commit("ann", "handoff.accepted"),
    );
    expect([projection.isAccepted(), projection.isImplicitlyAccepted()]).toEqual([true, true]);
  });

  test("after an explicit decline a commitment accepts nothing", () => {
    const projection = applied(
      createHandoffProjection(),
      ...offered,
      say("bob", "HandoffDecline", { handoffId: "h", reason: "asleep" }),
      commit("ann", "handoff.declined"),
    );
    expect([projection.isDeclined("h"), projection.hasAcceptedOffer()]).toEqual([true, false]);
    expect(projection.isPositiveOutcome).toBe(false);
  });
});

describe("quorum", () => {
  const { start, say } = historyOf("quorum");
  const asked = [
    start("ann", ["ann", "bob", "cid"]),
    say("ann", "ApprovalRequest", { requestId: "r", action: "deploy", requiredApprovals: 2 }),
  ];

  test("reached with enough approvals", () => {
    const projection = applied(createQuorumProjection(), ...asked);
    expect([projection.threshold, projection.remainingVotesNeeded()]).toEqual([2, 2]);
    projection.apply(say("ann", "Approve", { requestId: "r" }));
    expect([projection.hasQuorum(), projection.commitmentReady()]).toEqual([false, false]);
    expect(projection.hasQuorum(1)).toBe(true);
    projection.apply(say("bob", "Approve", { requestId: "r" }));
    expect([projection.hasQuorum(), projection.remainingVotesNeeded()]).toEqual([true, 0]);
    expect(projection.votedSenders()).toEqual(["ann", "bob"]);
  });

  test("out of reach when too few are left: abstaining leaves one fewer", () => {
    const projection = applied(
      createQuorumProjection(),
      ...asked,
      say("ann", "Abstain", { requestId: "r" }),
    );
    expect(projection.isThresholdUnreachable()).toBe(false);
    projection.apply(say("bob", "Reject", { requestId: "r" }));
    expect([projection.isThresholdUnreachable(), projection.commitmentReady()]).toEqual([
      true,
      true,
    ]);
    expect([projection.abstentionCount(), projection.rejectionCount()]).toEqual([1, 1]);
  });

  test("one ballot per voter, and none on another request or before there is one", () => {
    const projection = applied(createQuorumProjection(), asked[0] as Envelope);
    expect(projection.apply(say("bob", "Approve", { requestId: "r" }))).toBe("anomaly");
    expect([projection.hasQuorum(), projection.commitmentReady()]).toEqual([false, false]);
    applied(projection, ...asked, say("bob", "Approve", { requestId: "r" }));
    expect(projection.apply(say("bob", "Reject", { requestId: "r" }))).toBe("anomaly");
    expect(projection.apply(say("cid", "Approve", { requestId: "s" }))).toBe("anomaly");
    expect(projection.anomalies.map(({ kind }) => kind)).toEqual([
      "unknown_subject",
      "duplicate_ballot",
      "unknown_subject",
    ]);
    expect(projection.approvalCount()).toBe(1);
  });
});

describe("multi-round", () => {
  const { start, say, raw } = historyOf("multiRound");

  test("converges when every latest value is the same", async () => {
    const projection = await replay(createMultiRoundProjection(), [
      start("ann", ["bob", "cid"]),
      say("bob", "Contribute", { value: "9" }),
      say("cid", "Contribute", { value: "11" }),
    ]);
    expect([projection.round, projection.isConverged()]).toEqual([2, false]);
    projection.apply(raw("cid", "Contribute", new TextEncoder().encode('{"value":"9"}')));
    expect([projection.round, projection.convergedValue(), projection.phase]).toEqual([
      3,
      "9",
      "Converged",
    ]);
    expect(projection.missingParticipants()).toEqual([]);
  });

  test("saying the same again opens no round", () => {
    const projection = applied(
      createMultiRoundProjection(),
      start("ann", ["bob", "cid"]),
      say("bob", "Contribute", { value: "9" }),
      say("bob", "Contribute", { value: "9" }),
    );
    expect([projection.round, projection.missingParticipants()]).toEqual([1, ["cid"]]);
    expect(projection.latestValue("bob")).toBe("9");
  });
});

test("what was read does not change any more; what was not is as if it had been", () => {
  const { start, say } = historyOf("task");
  const history = [
    start("ann", ["ann", "bob"]),
    say("ann", "TaskRequest", { taskId: "t", title: "x" }),
    say("bob", "TaskAccept", { taskId: "t" }),
    ...Array.from({ length: 5 }, (_, i) => say("bob", "TaskUpdate", { taskId: "t", progress: i })),
  ];
  const read = createTaskProjection();
  const states = history.map((envelope) => {
    read.apply(envelope);
    return { state: read.state, task: read.getTask(), copy: structuredClone(read.state) };
  });
  for (const { state, task, copy } of states) {
    expect(state).toEqual(copy);
    expect(task).toBe(state.tasks.get("t"));
  }
  expect(applied(createTaskProjection(), ...history).state).toEqual(read.state);
});
