import { GetSessionRequestSchema, SendRequestSchema } from "../generated/macp/v1/core_pb.ts";
import { SessionState } from "../generated/macp/v1/envelope_pb.ts";
import { toEnvelope } from "../protocol/envelope.ts";
import { grpcStatus } from "../protocol/error-codes.ts";
import { newSessionId } from "../protocol/ids.ts";
import { type ModeKey } from "../protocol/mode-table.ts";
import { encodeCorePayload } from "../protocol/payload.ts";
import { type Connect, failed, policy, statusAfter, metadata } from "./testdata/calls.test-kit.ts";
import {
  accepted,
  as,
  commitment,
  errorCode,
  proposal,
  send,
  signal,
  start,
} from "./testdata/messages.test-kit.ts";
import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";

export function describeSend(connect: Connect): void {
  test("an accepted message, and the same again", async () => {
    const calls = await connect();
    const id = await accepted(calls, "alice", start("decision"));
    const sent = proposal(id);
    const before = BigInt(Date.now()) - 5_000n;
    const ack = await send(calls, "alice", sent);
    expect(ack).toMatchObject({
      ok: true,
      duplicate: false,
      messageId: sent.messageId,
      sessionId: id,
      sessionState: SessionState.OPEN,
    });
    expect(ack.error).toBeUndefined();
    expect(ack.acceptedAtUnixMs).toBeGreaterThan(before);
    const again = await send(calls, "alice", sent);
    expect(again).toMatchObject({ ok: true, duplicate: true, sessionState: SessionState.OPEN });
    // Only the id counts, whoever sends it in whatever mode.
    const other = toEnvelope({
      mode: "unknown",
      messageType: "Vote",
      messageId: sent.messageId,
      sessionId: id,
      payload: new Uint8Array([1]),
    });
    expect(await send(calls, "mallory", other)).toMatchObject({ ok: true, duplicate: true });
  });

  test("a request without an envelope is a failed call", async () => {
    const calls = await connect();
    const call = calls.send(create(SendRequestSchema), as("alice"));
    expect(await statusAfter(call)).toBe(grpcStatus.INVALID_ARGUMENT);
  });

  test("every other refusal is an Ack that echoes the ids", async () => {
    const calls = await connect();
    const id = await accepted(calls, "alice", start("decision"));
    const sent = proposal(id);
    const ack = await send(calls, "mallory", sent);
    expect(ack).toMatchObject({
      ok: false,
      duplicate: false,
      messageId: sent.messageId,
      sessionId: id,
      sessionState: SessionState.UNSPECIFIED,
      error: { code: "FORBIDDEN", message: "Forbidden", messageId: sent.messageId, sessionId: id },
    });
    expect(ack.acceptedAtUnixMs).toBeGreaterThan(0n);
    // A refused message leaves its id free.
    expect(await errorCode(calls, "alice", sent)).toBe("ok");
  });

  test("without a credential", async () => {
    const calls = await connect();
    const { ack } = await calls.send(
      create(SendRequestSchema, { envelope: start("decision") }),
      {},
    );
    expect(ack).toMatchObject({ ok: false, error: { code: "UNAUTHENTICATED" } });
  });

  test.each<
    [string, (id: string) => Parameters<typeof toEnvelope>[0] & { version?: string }, string]
  >([
    [
      "another protocol version",
      (id) => ({ ...plain(id), version: "2.0" }),
      "UNSUPPORTED_PROTOCOL_VERSION",
    ],
    ["no message type", (id) => ({ ...plain(id), messageType: "" }), "INVALID_ENVELOPE"],
    ["no message id", (id) => ({ ...plain(id), messageId: "" }), "INVALID_ENVELOPE"],
    ["no session", (id) => ({ ...plain(id), sessionId: "" }), "INVALID_ENVELOPE"],
    ["no mode", (id) => ({ ...plain(id), mode: "" }), "INVALID_ENVELOPE"],
    ["another's name", (id) => ({ ...plain(id), sender: "bob" }), "UNAUTHENTICATED"],
    [
      "an unknown session",
      (id) => ({ ...plain(id), sessionId: newSessionId() }),
      "SESSION_NOT_FOUND",
    ],
    [
      "another mode than the session's",
      (id) => ({ ...plain(id), mode: "macp.mode.task.v1" }),
      "INVALID_ENVELOPE",
    ],
    [
      "too large a payload",
      (id) => ({ ...plain(id), payload: new Uint8Array(1_048_577) }),
      "PAYLOAD_TOO_LARGE",
    ],
    [
      "a payload that is none",
      (id) => ({ ...plain(id), payload: new Uint8Array([0xff]) }),
      "INVALID_ENVELOPE",
    ],
  ])("%s", async (_, make, code) => {
    const calls = await connect();
    const id = await accepted(calls, "alice", start("decision"));
    const { version = "1.0", ...init } = make(id);
    const envelope = toEnvelope(init);
    envelope.macpVersion = version;
    expect(await errorCode(calls, "alice", envelope)).toBe(code);
  });

  test.each<[string, Parameters<typeof start>[1], string]>([
    ["no participants", { participants: [] }, "INVALID_ENVELOPE"],
    ["a blank participant", { participants: ["alice", " "] }, "INVALID_ENVELOPE"],
    ["a participant twice", { participants: ["alice", "alice "] }, "INVALID_ENVELOPE"],
    [
      "1001 participants",
      { participants: Array.from({ length: 1_001 }, (_, i) => `p${i}`) },
      "INVALID_ENVELOPE",
    ],
    ["no time", { ttlMs: 0n }, "INVALID_ENVELOPE"],
    ["more than a day", { ttlMs: 86_400_001n }, "INVALID_ENVELOPE"],
    ["a negative suspension", { maxSuspendMs: -1n }, "INVALID_ENVELOPE"],
    ["another mode version", { modeVersion: "9.9.9" }, "INVALID_ENVELOPE"],
    ["no mode version", { modeVersion: "" }, "INVALID_ENVELOPE"],
    ["no configuration version", { configurationVersion: "" }, "INVALID_ENVELOPE"],
    ["an unknown policy", { policyVersion: "policy.unknown" }, "UNKNOWN_POLICY_VERSION"],
  ])("a start with %s", async (_, payload, code) => {
    const calls = await connect();
    const envelope = start("decision", payload);
    expect(await errorCode(calls, "alice", envelope)).toBe(code);
    const get = create(GetSessionRequestSchema, { sessionId: envelope.sessionId });
    await failed(calls.getSession(get, as("alice")), grpcStatus.NOT_FOUND);
  });

  test.each([
    ["", "INVALID_ENVELOPE"],
    ["short", "INVALID_SESSION_ID"],
    ["with space and more than 22 characters", "INVALID_SESSION_ID"],
    ["F47AC10B-58CC-4372-A567-0E02B2C3D479", "INVALID_SESSION_ID"],
    ["c232ab00-9414-11ec-b3c8-9f6bdeced846", "INVALID_SESSION_ID"],
  ])("a start under the id %j", async (sessionId, code) => {
    const calls = await connect();
    expect(await errorCode(calls, "alice", start("decision", {}, { sessionId }))).toBe(code);
  });

  test("a start under an id of base64url; an unknown mode", async () => {
    const calls = await connect();
    const sessionId = newSessionId().replaceAll("-", "_").slice(0, 30);
    expect(await errorCode(calls, "alice", start("decision", {}, { sessionId }))).toBe("ok");
    const mode = "macp.mode.unknown.v1";
    expect(await errorCode(calls, "alice", start("decision", {}, { mode }))).toBe(
      "MODE_NOT_SUPPORTED",
    );
  });

  test("a second start of a session, and the first one again", async () => {
    const calls = await connect();
    const first = start("decision");
    const id = await accepted(calls, "alice", first);
    expect(await errorCode(calls, "alice", start("decision", {}, { sessionId: id }))).toBe(
      "SESSION_ALREADY_EXISTS",
    );
    expect(await send(calls, "alice", first)).toMatchObject({ ok: true, duplicate: true });
  });

  test("a session expires", async () => {
    const calls = await connect();
    const id = await accepted(calls, "alice", start("decision", { ttlMs: 40n }));
    await expect
      .poll(async () => (await metadata(calls, id))?.state, { interval: 10, timeout: 5_000 })
      .toBe(SessionState.EXPIRED);
    expect(await errorCode(calls, "alice", proposal(id))).toBe("SESSION_NOT_OPEN");
  });

  test("ambient Signals and Progress", async () => {
    const calls = await connect();
    expect(await send(calls, "alice", signal("note"))).toMatchObject({
      ok: true,
      sessionState: SessionState.OPEN,
    });
    expect(await errorCode(calls, "alice", signal(""))).toBe("ok");
    const untyped = toEnvelope({
      messageType: "Signal",
      payload: encodeCorePayload("Signal", { signalType: "", confidence: 0.5 }),
    });
    expect(await errorCode(calls, "alice", untyped)).toBe("INVALID_ENVELOPE");
    expect(await errorCode(calls, "alice", signal("note", { sessionId: newSessionId() }))).toBe(
      "INVALID_ENVELOPE",
    );
    expect(await errorCode(calls, "alice", signal("note", { mode: "m" }))).toBe("INVALID_ENVELOPE");
    const payload = encodeCorePayload("Progress", { progressToken: "t", progress: 0.5, total: 1 });
    const progress = toEnvelope({ messageType: "Progress", payload });
    expect(await errorCode(calls, "alice", progress)).toBe("ok");
    const broken = toEnvelope({ messageType: "Progress", payload: new Uint8Array([0xff]) });
    expect(await errorCode(calls, "alice", broken)).toBe("INVALID_ENVELOPE");
  });

  test("a policy's denial carries its reasons", async () => {
    const calls = await connect();
    const policyVersion = `policy.${newSessionId()}`;
    const rules = { voting: { algorithm: "majority" }, commitment: { require_vote_quorum: true } };
    await calls.registerPolicy(policy(policyVersion, rules), as("alice"));
    const id = await accepted(calls, "alice", start("decision", { policyVersion }));
    await accepted(calls, "alice", proposal(id));
    const { error } = await send(calls, "alice", commitment("decision", id));
    expect(error?.code).toBe("POLICY_DENIED");
    const { reasons } = JSON.parse(new TextDecoder().decode(error?.details)) as {
      reasons: unknown;
    };
    expect(reasons).toEqual(expect.arrayContaining([expect.any(String)]));
  });

  test("a resolved session refuses messages and still knows the old ones", async () => {
    const calls = await connect();
    const id = await accepted(calls, "alice", start("decision"));
    const sent = proposal(id);
    await accepted(calls, "alice", sent);
    const resolved = await send(calls, "alice", commitment("decision", id));
    expect(resolved).toMatchObject({ ok: true, sessionState: SessionState.RESOLVED });
    expect(await errorCode(calls, "bob", proposal(id, { messageId: "p2" }))).toBe(
      "SESSION_NOT_OPEN",
    );
    expect(await send(calls, "alice", sent)).toMatchObject({
      ok: true,
      duplicate: true,
      sessionState: SessionState.RESOLVED,
    });
  });

  test.each<[ModeKey, (id: string) => ReturnType<typeof commitment>]>([
    ["decision", (id) => commitment("decision", id)],
    ["proposal", (id) => commitment("proposal", id)],
    ["task", (id) => commitment("task", id)],
    ["handoff", (id) => commitment("handoff", id)],
    ["quorum", (id) => commitment("quorum", id)],
    ["multiRound", (id) => commitment("multiRound", id)],
  ])(
    "%s: no commitment before it is ready, and none by another than the initiator",
    async (key, commit) => {
      const calls = await connect();
      const id = await accepted(calls, "alice", start(key));
      expect(await errorCode(calls, "bob", commit(id))).toBe("FORBIDDEN");
      expect(await errorCode(calls, "alice", commit(id))).toBe("INVALID_ENVELOPE");
    },
  );
}

function plain(sessionId: string) {
  const { mode, messageType, payload } = proposal(sessionId);
  return { mode, messageType, payload, sessionId, messageId: "m1" };
}
