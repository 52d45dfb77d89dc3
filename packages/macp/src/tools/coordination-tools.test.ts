import { modelInput, toJsonSchema, type ToolSource } from "@agentkeys/contract";
import { describe, expect, test } from "vitest";
import type { MacpClient } from "../client/client.ts";
import { type ModeKey, modeKeys, modeTable } from "../protocol/mode-table.ts";
import { refusalOf } from "../protocol/refusal.ts";
import { bob, cid, openWorld, party } from "../sessions/worlds.test-kit.ts";
import { coordinationTools } from "./coordination-tools.ts";

/** The same session, as tools of each party. */
async function tables(key: ModeKey) {
  const { client, as } = openWorld();
  const session = await client[key].start({ ...party, intent: "decide" });
  const join = async (other: MacpClient) => coordinationTools(await other[key].join(session.id));
  return {
    session,
    ann: coordinationTools(session),
    bob: await join(as(bob)),
    cid: await join(as(cid)),
  };
}

type Call = readonly [ToolSource, string, object];
async function play(calls: readonly Call[]): Promise<unknown[]> {
  const answers: unknown[] = [];
  for (const [source, name, input] of calls) answers.push(await source.call(name, input));
  return answers;
}

const accepted = (phase: string) => ({ accepted: true, phase });
const outcome = (action: string) => ({ action, authority_scope: "test", reason: "test" });

describe("rows", () => {
  test.each(modeKeys)("%s: names that every model takes, descriptions, schemas", async (key) => {
    const { client } = openWorld();
    const { rows } = coordinationTools(await client[key].start(party));
    const prefix = key === "multiRound" ? "multi_round" : key;
    expect(Object.keys(rows)).toContain(`${prefix}_status`);
    for (const [name, row] of Object.entries(rows)) {
      expect(name).toMatch(new RegExp(`^${prefix}_[a-z_]{1,40}$`));
      expect(row.id).toBe(`agentkeys.${prefix}.${name.slice(prefix.length + 1)}`);
      expect(row.description.length).toBeGreaterThan(10);
      expect(toJsonSchema(modelInput(row))).toMatchObject({ type: "object" });
      expect([row.audience, row.readOnly]).toEqual(["model", name.endsWith("_status")]);
    }
  });

  test.each(modeKeys)(
    "%s: a tool for every message of the mode, one to look, no more",
    async (key) => {
      const { client } = openWorld();
      const { rows } = coordinationTools(await client[key].start(party));
      expect(Object.keys(rows)).toHaveLength(Object.keys(modeTable[key].payloads).length + 1);
    },
  );
});

describe("calling", () => {
  test("decision", async () => {
    const { session, ann, bob: b, cid: c } = await tables("decision");
    const about = { proposal_id: "p" };
    expect(
      await play([
        [ann, "decision_propose", { ...about, option: "ship" }],
        [b, "decision_evaluate", { ...about, recommendation: "APPROVE", confidence: 0.9 }],
        [c, "decision_object", { ...about, severity: "low", reason: "late" }],
        [b, "decision_vote", { ...about, vote: "APPROVE", reason: "fine" }],
      ]),
    ).toEqual(["Evaluation", "Evaluation", "Evaluation", "Voting"].map(accepted));
    await session.until(({ transcript }) => transcript.length === 5);
    expect(await ann.call("decision_status", {})).toEqual({
      session_id: session.id,
      intent: "decide",
      phase: "Voting",
      initiator: "ann",
      participants: party.participants,
      proposals: [
        {
          proposal_id: "p",
          option: "ship",
          rationale: "",
          proposer: "ann",
          votes: { bob: "APPROVE" },
        },
      ],
      evaluations: [
        { proposal_id: "p", recommendation: "APPROVE", confidence: 0.9, reason: "", sender: "bob" },
      ],
      objections: [{ proposal_id: "p", severity: "low", reason: "late", sender: "cid" }],
      majority_winner: "p",
    });
    await ann.call("decision_commit", outcome("ship.selected"));
    expect(await ann.call("decision_status", {})).toMatchObject({
      phase: "Committed",
      ended: "resolved",
      commitment: { ...outcome("ship.selected"), outcome_positive: true },
    });
  });

  test("proposal", async () => {
    const { ann, bob: b, cid: c } = await tables("proposal");
    const agreed = { proposal_id: "q" };
    await play([
      [ann, "proposal_propose", { proposal_id: "p", title: "100" }],
      [b, "proposal_reject", { proposal_id: "p", reason: "dear" }],
      [b, "proposal_counter", { ...agreed, supersedes_proposal_id: "p", title: "80" }],
      [ann, "proposal_withdraw", { proposal_id: "p" }],
      ...[ann, b, c].map((source): Call => [source, "proposal_accept", agreed]),
    ]);
    expect(await c.call("proposal_status", {})).toMatchObject({
      proposals: [
        { proposal_id: "p", status: "withdrawn" },
        { proposal_id: "q", supersedes: "p", status: "open", proposer: "bob" },
      ],
      accepted: { ann: "q", bob: "q", cid: "q" },
      rejections: [{ proposal_id: "p", sender: "bob", terminal: false }],
      agreed_proposal: "q",
    });
    expect(await ann.call("proposal_commit", outcome("x.accepted"))).toEqual(accepted("Committed"));
  });

  test("task", async () => {
    const { ann, bob: b, cid: c } = await tables("task");
    await play([
      [ann, "task_request", { task_id: "t", title: "add", input: "1 2" }],
      [c, "task_reject", { task_id: "t", reason: "busy" }],
    ]);
    expect(
      refusalOf(await b.call("task_accept", { task_id: "t" }).catch((e: unknown) => e))?.code,
    ).toBe("POLICY_DENIED");
    const other = await tables("task");
    await play([
      [other.ann, "task_request", { task_id: "t", title: "add", input: "1 2" }],
      [other.bob, "task_accept", { task_id: "t" }],
      [other.bob, "task_update", { task_id: "t", progress: 0.5 }],
    ]);
    expect(await other.bob.call("task_status", {})).toMatchObject({
      tasks: [{ task_id: "t", input: "1 2", status: "Accepted", assignee: "bob", progress: 0.5 }],
    });
    await other.bob.call("task_complete", { task_id: "t", output: "3" });
    expect(await other.bob.call("task_status", {})).toMatchObject({
      tasks: [{ status: "Completed", output: "3" }],
    });
    const failing = await tables("task");
    await play([
      [failing.ann, "task_request", { task_id: "t", title: "add" }],
      [failing.cid, "task_accept", { task_id: "t" }],
      [failing.cid, "task_fail", { task_id: "t", error_code: "E", retryable: true }],
      [failing.ann, "task_commit", outcome("add.failed")],
    ]);
    expect(await failing.ann.call("task_status", {})).toMatchObject({
      tasks: [{ status: "Failed", error_code: "E", retryable: true }],
      commitment: { outcome_positive: false },
    });
  });

  test("handoff", async () => {
    const { ann, bob: b, cid: c } = await tables("handoff");
    await play([
      [ann, "handoff_offer", { handoff_id: "h", target_participant: "bob", scope: "on call" }],
      [b, "handoff_decline", { handoff_id: "h", reason: "asleep" }],
      [ann, "handoff_offer", { handoff_id: "i", target_participant: "cid", scope: "on call" }],
      [ann, "handoff_add_context", { handoff_id: "i", content: "see the runbook" }],
      [c, "handoff_accept", { handoff_id: "i" }],
    ]);
    expect(await c.call("handoff_status", {})).toMatchObject({
      handoffs: [
        { handoff_id: "h", disposition: "Declined", answer: "asleep" },
        { handoff_id: "i", disposition: "Accepted", context: [{ content: "see the runbook" }] },
      ],
    });
    await ann.call("handoff_commit", outcome("h.accepted"));
  });

  test("quorum", async () => {
    const { ann, bob: b, cid: c } = await tables("quorum");
    const about = { request_id: "r" };
    await play([
      [ann, "quorum_request", { ...about, action: "deploy", required_approvals: 2 }],
      [ann, "quorum_abstain", about],
      [b, "quorum_approve", { ...about, reason: "fine" }],
      [c, "quorum_reject", about],
    ]);
    expect(await c.call("quorum_status", {})).toMatchObject({
      request: { request_id: "r", action: "deploy", required_approvals: 2 },
      ballots: [{ choice: "Abstain" }, { sender: "bob", choice: "Approve" }, { choice: "Reject" }],
      approvals: 1,
      commitment_due: true,
    });
    await ann.call("quorum_commit", outcome("deploy.rejected"));
  });

  test("multi-round", async () => {
    const { ann, bob: b, cid: c } = await tables("multiRound");
    await play(
      [ann, b, c].map((source): Call => [source, "multi_round_contribute", { value: "9" }]),
    );
    expect(await c.call("multi_round_status", {})).toMatchObject({
      round: 3,
      agreed_value: "9",
      missing: [],
    });
    await ann.call("multi_round_commit", outcome("hour.selected"));
  });

  test("input that the row does not take goes nowhere; a tool of another mode is none", async () => {
    const { session, ann } = await tables("decision");
    await ann.call("decision_propose", { proposal_id: "p", option: "x" });
    const vote = ann.call("decision_vote", { proposal_id: "p", vote: "PERHAPS" });
    await expect(vote).rejects.toMatchObject({ code: "invalid_params" });
    await expect(ann.call("quorum_approve", {})).rejects.toMatchObject({ code: "tool_not_found" });
    await expect(ann.call("toString", {})).rejects.toMatchObject({ code: "tool_not_found" });
    expect(session.projection.transcript).toHaveLength(2);
  });

  test("what the runtime refuses is an error with its code", async () => {
    const { ann, bob: b } = await tables("decision");
    await ann.call("decision_propose", { proposal_id: "p", option: "x" });
    const commit = await b.call("decision_commit", outcome("x.selected")).catch((e: unknown) => e);
    expect(refusalOf(commit)?.code).toBe("FORBIDDEN");
  });
});

describe("waiting for news", () => {
  test("ends with the first message that was not told yet", async () => {
    const { ann, bob: b } = await tables("decision");
    await b.call("decision_status", {});
    const waiting = b.call("decision_status", { wait_seconds: 60 });
    await ann.call("decision_propose", { proposal_id: "p", option: "x" });
    expect(await waiting).toMatchObject({ proposals: [{ proposal_id: "p" }] });
  });

  test("ends when nothing comes, when nothing can come, and with the call's signal", async () => {
    const { session, ann } = await tables("decision");
    await ann.call("decision_status", {});
    expect(await ann.call("decision_status", { wait_seconds: 0.01 })).toMatchObject({
      proposals: [],
    });
    const stopping = new AbortController();
    const stopped = ann.call("decision_status", { wait_seconds: 60 }, { signal: stopping.signal });
    stopping.abort(new Error("enough"));
    await expect(stopped).rejects.toThrow("enough");
    const waiting = ann.call("decision_status", { wait_seconds: 60 });
    await session.cancel();
    expect(await waiting).toMatchObject({ ended: "cancelled" });
  });
});
