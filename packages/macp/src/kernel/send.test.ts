import { describe, expect, test } from "vitest";
import type { EnvelopeInit } from "../protocol/envelope.ts";
import { newSessionId } from "../protocol/ids.ts";
import { encodeCorePayload, encodePayload } from "../protocol/payload.ts";
import { createBench, epoch, short, signal } from "./kernel.test-kit.ts";

const mode = "macp.mode.decision.v1";
const proposal = (proposalId: string) =>
  encodePayload("decision", "Proposal", { proposalId, option: "o" });

describe("the shape of an envelope", () => {
  const bench = createBench({ limits: { maxPayloadBytes: 100 } });
  const good = {
    messageType: "Vote",
    messageId: "m",
    mode,
    sessionId: newSessionId(),
    sender: "alice",
  };
  const answer = async (init: Partial<EnvelopeInit>) =>
    short(await bench.send({ ...good, ...init }));

  test.each([
    ["no message type", { messageType: "" }, "InvalidEnvelope"],
    ["no message id", { messageId: "" }, "InvalidEnvelope"],
    ["a NUL in the message id", { messageId: "a\0b" }, "InvalidEnvelope"],
    ["no session", { sessionId: "" }, "InvalidEnvelope"],
    ["no mode", { mode: "" }, "InvalidEnvelope"],
    [
      "a start without a session",
      { messageType: "SessionStart", sessionId: "" },
      "InvalidEnvelope",
    ],
    ["a signal with a session", { messageType: "Signal", mode: "" }, "InvalidEnvelope"],
    ["a signal with a mode", { messageType: "Signal", sessionId: "" }, "InvalidEnvelope"],
    [
      "progress of a session without its mode",
      { messageType: "Progress", mode: "" },
      "InvalidEnvelope",
    ],
    [
      "progress of a mode without a session",
      { messageType: "Progress", sessionId: "" },
      "InvalidEnvelope",
    ],
    ["too much", { payload: new Uint8Array(101) }, "PayloadTooLarge"],
    ["as much as there may be", { payload: new Uint8Array(100) }, "UnknownSession"],
  ])("%s", async (_, init, expected) => expect(await answer(init)).toBe(expected));

  test("another version comes before everything else", async () => {
    const envelope = {
      ...good,
      macpVersion: "2.0",
      messageId: "",
      timestampUnixMs: 0n,
      payload: new Uint8Array(999),
    };
    expect(bench.kernel.checkShape(envelope)).toMatchObject({
      code: "UNSUPPORTED_PROTOCOL_VERSION",
    });
    expect(await bench.kernel.send(envelope)).toMatchObject({ variant: "InvalidMacpVersion" });
  });
});

describe("a message of a session", () => {
  test("needs the session", async () => {
    const { send } = createBench();
    const outcome = await send({
      messageType: "Vote",
      mode,
      sessionId: newSessionId(),
      sender: "alice",
    });
    expect(outcome).toMatchObject({ variant: "UnknownSession", code: "SESSION_NOT_FOUND" });
  });

  test("needs the session's mode", async () => {
    const { send, open } = createBench();
    const { sessionId } = await open("decision");
    const other = {
      messageType: "Proposal",
      mode: "macp.mode.task.v1",
      sessionId,
      sender: "alice",
    };
    expect(await send({ ...other, payload: proposal("p1") })).toMatchObject({
      variant: "InvalidEnvelope",
    });
  });

  test("counts as its sender's activity, the SessionStart does not", async () => {
    const { kernel, open, time } = createBench();
    const { sessionId, say } = await open("decision");
    await say("alice", "Proposal", { proposalId: "p1", option: "o" });
    time.now += 5;
    await say("alice", "Proposal", { proposalId: "p2", option: "o" });
    await say("alice", "Proposal", { proposalId: "p2", option: "o" });
    expect((await kernel.get(sessionId))?.participantActivity).toEqual([
      { participantId: "alice", lastMessageAtMs: epoch + 5, messageCount: 2 },
    ]);
  });
});

describe("a repeated message id", () => {
  test("is answered at once: whoever sends what in whatever mode, also after the end", async () => {
    const bench = createBench();
    const session = await bench.open("decision");
    await session.raw("alice", "Proposal", proposal("p1"), "m1");
    const repeat = {
      messageId: "m1",
      messageType: "Nonsense",
      mode: "macp.mode.task.v1",
      sender: "mallory",
    };
    const again = () => bench.send({ ...repeat, sessionId: session.sessionId });
    expect(await again()).toEqual({ ok: true, state: "Open", duplicate: true });
    await session.commit("coordinator", "done");
    expect(await again()).toEqual({ ok: true, state: "Resolved", duplicate: true });
    expect(bench.kernel.history(session.sessionId)).toHaveLength(3);
  });

  test("of a refused message is free", async () => {
    const { raw } = await createBench().open("decision");
    expect(await raw("alice", "Vote", proposal("p1"), "m1")).toMatchObject({ ok: false });
    expect(await raw("alice", "Proposal", proposal("p1"), "m1")).toMatchObject({
      ok: true,
      duplicate: false,
    });
  });

  test("does not end an overdue session", async () => {
    const { open, time } = createBench();
    const { raw } = await open("decision", { ttlMs: 10 });
    await raw("alice", "Proposal", proposal("p1"), "m1");
    time.now += 11;
    expect(await raw("alice", "Proposal", proposal("p1"), "m1")).toMatchObject({
      duplicate: true,
      state: "Open",
    });
  });

  test("of another session is another message", async () => {
    const { open } = createBench();
    const [one, two] = [await open("decision"), await open("decision")];
    expect(await one.raw("alice", "Proposal", proposal("p1"), "m1")).toMatchObject({
      duplicate: false,
    });
    expect(await two.raw("alice", "Proposal", proposal("p1"), "m1")).toMatchObject({
      duplicate: false,
    });
  });
});

describe("the deadline", () => {
  const overdue = async (by: number) => {
    const bench = createBench();
    const session = await bench.open("decision", { ttlMs: 10 });
    bench.time.now += 10 + by;
    return { ...bench, ...session };
  };

  test("itself is still in time", async () => {
    const { say } = await overdue(0);
    expect(await say("alice", "Proposal", { proposalId: "p1", option: "o" })).toBe("ok");
  });
  test("passed: the touch that notices says so, later ones find the session closed", async () => {
    const { raw, state } = await overdue(1);
    expect(await raw("alice", "Proposal", proposal("p1"))).toMatchObject({
      variant: "TtlExpired",
      code: "SESSION_NOT_OPEN",
    });
    expect(await raw("alice", "Proposal", proposal("p1"))).toMatchObject({
      variant: "SessionNotOpen",
    });
    expect(await state()).toBe("Expired");
  });
  test.each(["get", "peek", "list", "sweep"] as const)("passed: %s notices too", async (method) => {
    const { kernel, sessionId } = await overdue(1);
    const events: string[] = [];
    kernel.watchSessions(({ kind }) => events.push(kind));
    await kernel[method](sessionId);
    await kernel[method](sessionId);
    expect(events).toEqual(["EXPIRED"]);
  });
  test("passed: it comes after the mode, and before the sender", async () => {
    const { send, raw, sessionId } = await overdue(1);
    const wrong = { messageType: "Vote", mode: "macp.mode.task.v1", sessionId, sender: "alice" };
    expect(await send(wrong)).toMatchObject({ variant: "InvalidEnvelope" });
    expect(await raw("mallory", "Vote", new Uint8Array())).toMatchObject({ variant: "TtlExpired" });
  });
  test("means nothing to a session that is over", async () => {
    const { kernel, open, time } = createBench();
    const { say, commit, state } = await open("decision", { ttlMs: 10 });
    await say("alice", "Proposal", { proposalId: "p1", option: "o" });
    await commit("coordinator", "done");
    time.now += 1000;
    expect(kernel.sweep()).toBe(0);
    expect(await state()).toBe("Resolved");
    expect(await say("alice", "Proposal", { proposalId: "p2", option: "o" })).toBe(
      "SessionNotOpen",
    );
  });
});

describe("signals", () => {
  const heard = () => {
    const bench = createBench();
    const types: string[] = [];
    bench.kernel.watchSignals(({ messageType, messageId }) =>
      types.push(`${messageType} ${messageId}`),
    );
    return { ...bench, types };
  };

  test("are passed on, every time", async () => {
    const { send, types } = heard();
    const message = { messageType: "Signal", sender: "mallory", messageId: "s1" };
    expect(await send({ ...message, payload: signal("tick") })).toEqual({
      ok: true,
      state: "Open",
      duplicate: false,
    });
    expect(await send({ ...message, payload: signal("tick") })).toMatchObject({ duplicate: false });
    expect(await send({ ...message, messageId: "s2" })).toMatchObject({ ok: true });
    expect(types).toEqual(["Signal s1", "Signal s1", "Signal s2"]);
  });
  test.each([
    ["a blank type", encodeCorePayload("Signal", { signalType: " ", confidence: 0.5 })],
    ["no protobuf", Uint8Array.of(0xff, 0xff)],
  ])("with %s are refused and not heard", async (_, payload) => {
    const { send, types } = heard();
    const outcome = await send({ messageType: "Signal", sender: "alice", payload });
    expect(outcome).toMatchObject({ variant: "InvalidPayload" });
    expect(types).toEqual([]);
  });
  test("may have any confidence", async () => {
    const payload = encodeCorePayload("Signal", { signalType: "tick", confidence: 7 });
    expect(await heard().send({ messageType: "Signal", sender: "alice", payload })).toMatchObject({
      ok: true,
    });
  });

  test("progress of a session is its people's", async () => {
    const { open, send, types } = heard();
    const { sessionId } = await open("decision", { participants: ["alice", "bob"] });
    const progress = (sender: string, more: object = {}) =>
      send({ messageType: "Progress", sessionId, mode, sender, messageId: sender, ...more });
    expect(await progress("alice")).toMatchObject({ ok: true });
    expect(await progress("coordinator")).toMatchObject({ ok: true });
    expect(await progress("mallory")).toMatchObject({ variant: "Forbidden" });
    expect(await progress("alice", { mode: "macp.mode.task.v1" })).toMatchObject({
      variant: "InvalidEnvelope",
    });
    expect(await progress("alice", { sessionId: newSessionId() })).toMatchObject({
      variant: "UnknownSession",
    });
    expect(await progress("alice", { payload: Uint8Array.of(0xff) })).toMatchObject({
      variant: "InvalidPayload",
    });
    expect(types).toEqual(["Progress alice", "Progress coordinator"]);
  });
  test("progress may come after the end, and from outside of any session", async () => {
    const { kernel, open, send } = heard();
    const { sessionId } = await open("decision");
    await kernel.cancel(sessionId, { by: "coordinator", reason: "" });
    expect(await send({ messageType: "Progress", sessionId, mode, sender: "alice" })).toMatchObject(
      { ok: true },
    );
    expect(await send({ messageType: "Progress", sender: "mallory" })).toMatchObject({ ok: true });
  });
  test("leave no trace in a session", async () => {
    const { kernel, open, send } = heard();
    const { sessionId } = await open("decision");
    const before = await kernel.get(sessionId);
    await send({ messageType: "Progress", sessionId, mode, sender: "alice" });
    expect(kernel.history(sessionId)).toHaveLength(1);
    expect(await kernel.get(sessionId)).toEqual(before);
  });
});

test("after close everything is refused, and nothing is lost", async () => {
  const { kernel, open } = createBench();
  const { sessionId, say } = await open("decision");
  await kernel.close();
  expect(await say("alice", "Proposal", { proposalId: "p1", option: "o" })).toBe("StorageFailed");
  expect(kernel.history(sessionId)).toHaveLength(1);
});
