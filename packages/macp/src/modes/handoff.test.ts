import { describe, expect, test } from "vitest";
import { createBench, epoch, policy } from "../kernel/kernel.test-kit.ts";
import { toCommitment } from "../protocol/commitment.ts";
import { encodePayload } from "../protocol/payload.ts";

const h1 = { handoffId: "h1", targetParticipant: "alice" };

async function offered(rules: object = {}) {
  const bench = createBench();
  bench.kernel.policies.register(policy({ mode: "macp.mode.handoff.v1", rules }));
  const session = await bench.open("handoff", { policy: "policy.test" });
  expect(await session.say("coordinator", "HandoffOffer", { ...h1, scope: "s", reason: "r" })).toBe(
    "ok",
  );
  return { ...bench, ...session };
}

test("an offer with context, accepted and committed, in upstream's JSON", async () => {
  const { say, commit, modeState } = await offered();
  const context = { handoffId: "h1", contentType: "text/plain", context: Uint8Array.of(104, 105) };
  expect(await say("coordinator", "HandoffContext", context)).toBe("ok");
  expect(
    await say("alice", "HandoffAccept", { handoffId: "h1", acceptedBy: "alice", reason: "yes" }),
  ).toBe("ok");
  expect(await commit("coordinator", "handoff.accepted")).toBe("ok Resolved");
  expect(await modeState()).toEqual({
    offers: {
      h1: {
        handoff_id: "h1",
        target_participant: "alice",
        scope: "s",
        reason: "r",
        offered_by: "coordinator",
        disposition: "Accepted",
        accepted_by: "alice",
        declined_by: null,
        outcome_reason: "yes",
        offered_at_ms: epoch,
      },
    },
    contexts: { h1: [{ content_type: "text/plain", context: [104, 105], sender: "coordinator" }] },
  });
});

describe("a session", () => {
  test.each([
    [["coordinator"], "InvalidPayload"],
    [["alice", "bob"], "InvalidPayload"],
    [["coordinator", "alice"], "ok"],
  ])("of %o", async (participants, expected) => {
    expect((await createBench().open("handoff", { participants })).started).toBe(expected);
  });
});

describe("an offer", () => {
  test("is the initiator's", async () => {
    const { say } = await createBench().open("handoff");
    expect(await say("bob", "HandoffOffer", h1)).toBe("Forbidden");
  });
  test.each([
    ["without an id", { ...h1, handoffId: "" }],
    ["without a target", { handoffId: "h1" }],
    ["to a stranger", { ...h1, targetParticipant: "mallory" }],
    ["to its sender", { ...h1, targetParticipant: "coordinator" }],
  ])("%s is refused", async (_, payload) => {
    const { say } = await createBench().open("handoff");
    expect(await say("coordinator", "HandoffOffer", payload)).toBe("InvalidPayload");
  });
  test("is one at a time, of a new id, and none after an acceptance", async () => {
    const { say } = await offered();
    const h2 = { handoffId: "h2", targetParticipant: "bob" };
    const h3 = { handoffId: "h3", targetParticipant: "carol" };
    expect(await say("coordinator", "HandoffOffer", h2)).toBe("InvalidPayload");
    expect(await say("alice", "HandoffDecline", { handoffId: "h1" })).toBe("ok");
    expect(await say("coordinator", "HandoffOffer", h1)).toBe("InvalidPayload");
    expect(await say("coordinator", "HandoffOffer", h2)).toBe("ok");
    expect(await say("bob", "HandoffAccept", { handoffId: "h2" })).toBe("ok");
    expect(await say("coordinator", "HandoffOffer", h3)).toBe("InvalidPayload");
  });
});

describe("context", () => {
  test("is the offerer's, for an offer, at any time", async () => {
    const { say } = await offered();
    expect(await say("alice", "HandoffContext", { handoffId: "h1" })).toBe("Forbidden");
    expect(await say("coordinator", "HandoffContext", { handoffId: "h9" })).toBe("InvalidPayload");
    await say("alice", "HandoffAccept", { handoffId: "h1" });
    expect(await say("coordinator", "HandoffContext", { handoffId: "h1" })).toBe("ok");
  });
});

describe.each(["HandoffAccept", "HandoffDecline"] as const)("%s", (type) => {
  const by = (who: string) =>
    type === "HandoffAccept" ? { acceptedBy: who } : { declinedBy: who };

  test("is the target's", async () => {
    const { say } = await offered();
    expect(await say("bob", type, { handoffId: "h1" })).toBe("Forbidden");
    expect(await say("mallory", type, { handoffId: "h1" })).toBe("Forbidden");
    expect(await say("alice", type, { handoffId: "h9" })).toBe("InvalidPayload");
    expect(await say("alice", type, { handoffId: "h1", ...by("bob") })).toBe("InvalidPayload");
    expect(await say("alice", type, { handoffId: "h1", ...by("alice") })).toBe("ok");
  });
  test("comes once", async () => {
    const { say } = await offered();
    await say("alice", type, { handoffId: "h1" });
    expect(await say("alice", "HandoffAccept", { handoffId: "h1" })).toBe("InvalidPayload");
    expect(await say("alice", "HandoffDecline", { handoffId: "h1" })).toBe("InvalidPayload");
  });
  test("makes the session ready", async () => {
    const { say, commit } = await offered();
    expect(await commit("coordinator", "handoff.done")).toBe("InvalidPayload");
    await say("alice", type, { handoffId: "h1" });
    expect(await commit("coordinator", "handoff.done")).toBe("ok Resolved");
  });
});

test("only a runtime accepts implicitly", async () => {
  const { say } = await offered();
  expect(await say("alice", "HandoffAccept", { handoffId: "h1", implicit: true })).toBe(
    "InvalidPayload",
  );
});

describe("silence", () => {
  const rules = { acceptance: { implicit_accept_timeout_ms: 500 } };

  test("counts as acceptance after the policy's time, by the acceptance clock", async () => {
    const { time, commit, modeState } = await offered(rules);
    time.now += 499;
    expect(await commit("coordinator", "handoff.accepted")).toBe("InvalidPayload");
    expect(await modeState()).toMatchObject({ offers: { h1: { disposition: "Offered" } } });
    time.now += 1;
    expect(await commit("coordinator", "handoff.accepted")).toBe("ok Resolved");
    expect(await modeState()).toMatchObject({
      offers: { h1: { disposition: "Accepted", accepted_by: "alice" } },
    });
  });
  test("counts for nothing without such a policy", async () => {
    const { time, commit } = await offered();
    time.now += 50_000;
    expect(await commit("coordinator", "handoff.accepted")).toBe("InvalidPayload");
  });
  test("changes nothing while the commitment is refused", async () => {
    const { time, commit, modeState } = await offered(rules);
    time.now += 1000;
    expect(await commit("coordinator", "handoff.accepted", { versions: { mode: "9" } })).toBe(
      "InvalidPayload",
    );
    expect(await modeState()).toMatchObject({ offers: { h1: { disposition: "Offered" } } });
  });
  test("a client's clock cannot hurry it", async () => {
    const { send, mode, sessionId, time, commit } = await offered(rules);
    const commitment = toCommitment({ action: "a", authorityScope: "s", reason: "r" });
    const outcome = await send({
      mode,
      sessionId,
      sender: "coordinator",
      messageType: "Commitment",
      timestampMs: epoch + 1_000_000,
      payload: encodePayload("handoff", "Commitment", commitment),
    });
    expect(outcome).toMatchObject({ variant: "InvalidPayload" });
    time.now += 500;
    expect(await commit("coordinator", "a")).toBe("ok Resolved");
  });
  test("nor can a back-dated offer", async () => {
    const bench = createBench();
    bench.kernel.policies.register(policy({ mode: "macp.mode.handoff.v1", rules }));
    const { mode, sessionId, commit } = await bench.open("handoff", { policy: "policy.test" });
    const payload = encodePayload("handoff", "HandoffOffer", h1);
    const offer = { mode, sessionId, sender: "coordinator", messageType: "HandoffOffer", payload };
    expect(await bench.send({ ...offer, timestampMs: 1 })).toMatchObject({ ok: true });
    expect(await commit("coordinator", "handoff.accepted")).toBe("InvalidPayload");
  });
});
