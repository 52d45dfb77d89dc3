import { AgentKeysError } from "@agentkeys/contract";
import { describe, expect, test } from "vitest";
import { createMacpClient } from "../client/client.ts";
import { devAgent } from "../protocol/auth.ts";
import { commitmentHash } from "../protocol/commitment-hash.ts";
import { grpcStatus } from "../protocol/error-codes.ts";
import { statusError } from "../protocol/refusal.ts";
import { openWorld } from "../sessions/worlds.test-kit.ts";
import { openScene, type SceneOptions } from "./joint.test-kit.ts";
import type { VoteMode } from "./vote.ts";

const modes: VoteMode[] = ["quorum", "decision"];

/** What a rejection is, in its code. */
const code = (error: unknown) => (AgentKeysError.is(error) ? error.code : error);
const failed = (promise: Promise<unknown>) => promise.then(() => "resolved", code);

describe.each(modes)("votes in a %s session", (mode) => {
  const open = (options: SceneOptions = {}) => openScene({ mode, ...options });

  test("enough of them let this call run, once, and are what is written down", async () => {
    const scene = await open();
    const approval = await scene.ask("staging");
    const { poll, decided } = await scene.poll(approval);
    await scene.vote("ann", poll.sessionId);
    expect([await scene.status(approval), await scene.call("staging", "staging")]).toEqual([
      "pending",
      "approval_required",
    ]);
    await scene.vote("cid", poll.sessionId);
    const { status, evidence, tally } = await decided;
    expect([status, tally.approved]).toEqual(["approved", ["ann", "cid"]]);

    await using watched = await scene.connect("ann")[mode].join(poll.sessionId);
    const { commitment } = watched.projection;
    expect(commitment && commitmentHash(commitment)).toBe(evidence.commitment_hash);
    expect(await scene.decisions()).toMatchObject([
      {
        outcome: "approved",
        by: "ann, cid",
        digest: approval.digest,
        evidence: { session_id: poll.sessionId, commitment_hash: evidence.commitment_hash },
      },
    ]);
    const calls = Array.from({ length: 5 }, () => scene.call("staging", "staging"));
    await Promise.all(calls);
    expect(scene.ran).toEqual(["staging"]);
    expect(await scene.call("staging", "another")).toBe("approval_required");
  });

  test("too many against it deny the call", async () => {
    const scene = await open();
    const approval = await scene.ask("staging");
    const { poll, decided } = await scene.poll(approval);
    await scene.vote("ann", poll.sessionId, "reject");
    await scene.vote("bob", poll.sessionId, "abstain");
    expect(await decided).toMatchObject({ status: "denied", approval: { status: "denied" } });
    await scene.call("staging", "staging");
    expect(scene.ran).toEqual([]);
  });

  test("in somebody else's session about it count for nothing, whatever it commits", async () => {
    const scene = await open();
    const approval = await scene.ask("staging");
    const { poll, decided } = await scene.poll(approval);
    const mallory = scene.connect("mallory");
    const participants = ["mallory", "ann", "bob", "cid"];
    const start = { participants, ttlMs: 60_000, context: { id: approval.id } };
    await using own = await mallory[mode].start(start);
    const quote = JSON.stringify({ approval: approval.id, digest: approval.digest });
    if ("requestApproval" in own) {
      await own.requestApproval(approval.id, "deploy", { requiredApprovals: 2, details: quote });
    } else await own.propose(approval.id, "deploy", { supportingData: quote });
    // The real people, in the wrong place.
    await scene.vote("ann", own.id);
    await scene.vote("bob", own.id);
    await own.commit({ action: "deploy.approved", authorityScope: "all", reason: "they agree" });
    expect(own.projection.isPositiveOutcome).toBe(true);

    await scene.vote("cid", poll.sessionId);
    expect([await scene.status(approval), await scene.call("staging", "staging")]).toEqual([
      "pending",
      "approval_required",
    ]);
    await scene.vote("ann", poll.sessionId);
    expect((await decided).evidence.session_id).toBe(poll.sessionId);
    expect(scene.ran).toEqual([]);
  });

  test("of one person count once, and of others not at all", async () => {
    const scene = await open();
    const approval = await scene.ask("staging");
    const { poll, decided } = await scene.poll(approval);
    await scene.vote("ann", poll.sessionId);
    for (const name of ["ann", "Ann", "ann ", "eve", "mallory"]) {
      expect(await failed(scene.vote(name, poll.sessionId))).not.toBe("resolved");
    }
    // The bridge's own name takes part in a decision; it is still nobody's vote.
    await scene.vote("bridge", poll.sessionId).catch(() => undefined);
    expect(await scene.status(approval)).toBe("pending");
    await scene.vote("bob", poll.sessionId);
    expect((await decided).tally.approved).toEqual(["ann", "bob"]);
  });

  test("about one approval decide no other", async () => {
    const scene = await open();
    const [a, b] = [await scene.ask("staging"), await scene.ask("production")];
    const [first, second] = [await scene.poll(a), await scene.poll(b)];
    await using elsewhere = await scene.connect("ann")[mode].join(first.poll.sessionId);
    const wrong = "vote" in elsewhere ? elsewhere.vote(b.id, "approve") : elsewhere.approve(b.id);
    expect(await failed(wrong)).not.toBe("resolved");
    await scene.vote("ann", first.poll.sessionId);
    await scene.vote("bob", first.poll.sessionId);
    expect((await first.decided).approval.id).toBe(a.id);
    expect(await scene.status(b)).toBe("pending");
    for (const call of ["staging", "production"]) await scene.call(call, call);
    expect(scene.ran).toEqual(["staging"]);
    await scene.vote("ann", second.poll.sessionId, "reject");
    await scene.vote("bob", second.poll.sessionId, "reject");
    expect((await second.decided).status).toBe("denied");
  });

  test("played again, or cast anew about what is decided, grant no second run", async () => {
    const scene = await open();
    const approval = await scene.ask("staging");
    const { poll, decided } = await scene.poll(approval);
    for (const name of ["ann", "bob"]) await scene.vote(name, poll.sessionId);
    const { approval: after } = await decided;
    await scene.call("staging", "staging");

    await using over = await scene.connect("ann")[mode].join(poll.sessionId);
    for (const envelope of over.projection.transcript) {
      const client = scene.connect(envelope.sender);
      const again = await client.send(envelope).catch(code);
      expect(again).not.toMatchObject({ duplicate: false });
    }
    expect(await failed(scene.bridge.decide(after))).toBe("already_decided");
    expect(scene.polls).toHaveLength(1);
    // An old copy, from before it was decided: asked anew, answered anew, and too late.
    const second = await scene.poll(approval);
    for (const name of ["ann", "bob"]) await scene.vote(name, second.poll.sessionId);
    expect(await failed(second.decided)).toBe("already_decided");
    await scene.call("staging", "staging");
    expect(scene.ran).toEqual(["staging"]);
    expect(await scene.decisions()).toHaveLength(1);
  });

  test("come too late for an approval that has expired or was withdrawn", async () => {
    const scene = await open();
    const [a, b] = [await scene.ask("staging"), await scene.ask("production")];
    const [first, second] = [await scene.poll(a), await scene.poll(b)];
    await scene.client.approvals.withdraw(b.id);
    for (const name of ["ann", "bob"]) await scene.vote(name, second.poll.sessionId);
    expect(await failed(second.decided)).toBe("already_decided");
    scene.pass(900);
    for (const name of ["ann", "bob"]) await scene.vote(name, first.poll.sessionId);
    expect(await failed(first.decided)).toBe("approval_expired");
    for (const call of ["staging", "production"]) await scene.call(call, call);
    expect(scene.ran).toEqual([]);
  });

  test("of a cancelled session decide nothing, and can be held anew", async () => {
    const scene = await open();
    const approval = await scene.ask("staging");
    const { poll, decided } = await scene.poll(approval);
    await scene.vote("ann", poll.sessionId);
    await scene.connect("bridge").cancelSession(poll.sessionId, "never mind");
    expect(await failed(decided)).toBe("conflict");
    expect([await scene.status(approval), await scene.call("staging", "staging")]).toEqual([
      "pending",
      "approval_required",
    ]);
    const again = await scene.poll(approval);
    await scene.vote("bob", again.poll.sessionId);
    expect(await scene.status(approval)).toBe("pending");
    await scene.vote("cid", again.poll.sessionId);
    expect((await again.decided).tally.approved).toEqual(["bob", "cid"]);
  });
});

test("a positive commitment below the threshold grants nothing, whoever made it", async () => {
  const scene = await openScene({ mode: "decision" });
  const approval = await scene.ask("staging");
  const { poll, decided } = await scene.poll(approval);
  await scene.vote("ann", poll.sessionId);
  // Somebody has the bridge's credential.
  await using stolen = await scene.connect("bridge").decision.join(poll.sessionId);
  await stolen.commit({ action: "deploy.approved", authorityScope: "all", reason: "hurry" });
  expect([stolen.projection.isPositiveOutcome, await failed(decided)]).toEqual([true, "conflict"]);
  expect([await scene.status(approval), await scene.call("staging", "staging")]).toEqual([
    "pending",
    "approval_required",
  ]);
});

test("a positive commitment after a failed quorum, which a runtime takes where no policy is bound, grants nothing", async () => {
  const scene = await openScene();
  const approval = await scene.ask("staging");
  const { poll, decided } = await scene.poll(approval);
  await using stolen = await scene.connect("bridge").quorum.join(poll.sessionId);
  const claim = { action: "deploy.approved", authorityScope: "all", reason: "hurry" };
  await scene.vote("ann", poll.sessionId, "reject");
  // In the same turn as the ballot that puts it out of reach: this commitment, not the bridge's, ends the session.
  await using bob = await scene.connect("bob").quorum.join(poll.sessionId);
  const [, committed] = await Promise.all([bob.reject(approval.id), failed(stolen.commit(claim))]);
  expect([committed, await failed(decided)]).toEqual(["resolved", "conflict"]);
  expect(stolen.projection.isPositiveOutcome).toBe(true);
  expect([await scene.status(approval), await scene.call("staging", "staging")]).toEqual([
    "pending",
    "approval_required",
  ]);
});

test.each(["before", "after"])(
  "a runtime that is away %s it has the commitment is waited for",
  async (when) => {
    const { runtime } = openWorld();
    let failures = 1;
    const connect = (name: string) => {
      const { calls, close } = runtime.connect();
      const send: typeof calls.send = async (request, options) => {
        const fails = request.envelope?.messageType === "Commitment" && failures-- > 0;
        const away = statusError({ status: grpcStatus.UNAVAILABLE, message: "away" });
        if (fails && when === "before") throw away;
        const answer = await calls.send(request, options);
        if (fails) throw away;
        return answer;
      };
      const transport = { calls: { ...calls, send }, close };
      return createMacpClient({ transport, auth: devAgent(name), retry: false });
    };
    const scene = await openScene({ connect });
    const approval = await scene.ask("staging");
    const { poll, decided } = await scene.poll(approval);
    for (const name of ["ann", "bob"]) await scene.vote(name, poll.sessionId);
    expect((await decided).status).toBe("approved");
    expect(failures).toBeLessThan(1);
  },
);

test("a critical objection of a named person is a veto", async () => {
  const scene = await openScene({ mode: "decision" });
  const approval = await scene.ask("staging");
  const { poll, decided } = await scene.poll(approval);
  await using cid = await scene.connect("cid").decision.join(poll.sessionId);
  await cid.raiseObjection(approval.id, { severity: "critical", reason: "the fair is open" });
  expect(await decided).toMatchObject({ status: "denied", tally: { rejected: ["cid"] } });
});

test.each([
  ["a weaker quorum", { quorum: { approvers: ["ann"], required: 1 } }, "conflict"],
  ["another text", { text: "something harmless" }, "conflict"],
  ["another's digest", { digest: `0x${"00".repeat(32)}` }, "conflict"],
  ["no quorum", { quorum: undefined }, "invalid_params"],
  ["none of nobody", { quorum: { approvers: [], required: 0 } }, "invalid_params"],
  ["one person twice", { quorum: { approvers: ["ann", "Ann"], required: 2 } }, "invalid_params"],
  ["more than there are", { quorum: { approvers: ["ann"], required: 2 } }, "invalid_params"],
  ["its time over", { expires_at: 1 }, "conflict"],
])("an approval with %s is never put to a vote", async (_, change, expected) => {
  const scene = await openScene();
  const approval = await scene.ask("staging");
  const given = { ...approval, ...change } as typeof approval;
  expect(await failed(scene.bridge.decide(given))).toBe(expected);
  expect(scene.polls).toEqual([]);
});
