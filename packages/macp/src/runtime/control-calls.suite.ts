import {
  CancelSessionRequestSchema,
  GetSessionRequestSchema,
  ListSessionsRequestSchema,
  ResumeSessionRequestSchema,
  SuspendSessionRequestSchema,
} from "../generated/macp/v1/core_pb.ts";
import { SessionState } from "../generated/macp/v1/envelope_pb.ts";
import { grpcStatus } from "../protocol/error-codes.ts";
import { newSessionId } from "../protocol/ids.ts";
import { type Connect, failed, metadata } from "./testdata/calls.test-kit.ts";
import { accepted, as, errorCode, proposal, start } from "./testdata/messages.test-kit.ts";
import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";

export function describeControl(connect: Connect): void {
  test("GetSession is for members", async () => {
    const calls = await connect();
    const payload = { contextId: "ctx", extensions: { k: new Uint8Array([1]) }, policyVersion: "" };
    const id = await accepted(calls, "alice", start("decision", payload));
    await accepted(calls, "alice", proposal(id));
    const found = await metadata(calls, id, "bob");
    expect(found).toMatchObject({
      sessionId: id,
      mode: "macp.mode.decision.v1",
      state: SessionState.OPEN,
      modeVersion: "1.0.0",
      configurationVersion: "config.default",
      policyVersion: "policy.default",
      participants: ["alice", "bob"],
      initiator: "alice",
      contextId: "ctx",
      extensionKeys: ["k"],
    });
    expect(found?.expiresAtUnixMs).toBeGreaterThan(found?.startedAtUnixMs ?? 0n);
    expect(found?.participantActivity).toMatchObject([{ participantId: "alice", messageCount: 1 }]);
    await failed(metadata(calls, id, "mallory"), grpcStatus.PERMISSION_DENIED);
    const request = create(GetSessionRequestSchema, { sessionId: id });
    await failed(calls.getSession(request, {}), grpcStatus.UNAUTHENTICATED);
    await failed(metadata(calls, newSessionId()), grpcStatus.NOT_FOUND);
  });

  test("cancel: by the initiator, once and for all", async () => {
    const calls = await connect();
    const id = await accepted(calls, "alice", start("decision"));
    const cancel = create(CancelSessionRequestSchema, { sessionId: id, reason: "changed my mind" });
    const denied = await failed(
      calls.cancelSession(cancel, as("bob")),
      grpcStatus.PERMISSION_DENIED,
    );
    expect(denied).toContain("FORBIDDEN");
    const { ack } = await calls.cancelSession(cancel, as("alice"));
    expect(ack).toMatchObject({
      ok: true,
      messageId: "",
      sessionId: id,
      sessionState: SessionState.CANCELLED,
    });
    expect(await errorCode(calls, "alice", proposal(id))).toBe("SESSION_NOT_OPEN");
    const again = await calls.cancelSession(cancel, as("alice"));
    expect(again.ack).toMatchObject({ ok: true, sessionState: SessionState.CANCELLED });
    const unknown = create(CancelSessionRequestSchema, { sessionId: newSessionId() });
    await failed(calls.cancelSession(unknown, as("alice")), grpcStatus.NOT_FOUND);
    await failed(calls.cancelSession(cancel, {}), grpcStatus.UNAUTHENTICATED);
  });

  test("suspend and resume", async () => {
    const calls = await connect();
    const id = await accepted(calls, "alice", start("decision"));
    const suspend = create(SuspendSessionRequestSchema, { sessionId: id, reason: "lunch" });
    const resume = create(ResumeSessionRequestSchema, { sessionId: id, reason: "back" });
    const early = await calls.resumeSession(resume, as("alice"));
    expect(early.ack).toMatchObject({
      ok: false,
      messageId: "",
      sessionState: SessionState.UNSPECIFIED,
      error: { code: "SESSION_NOT_OPEN" },
    });
    await failed(calls.suspendSession(suspend, as("bob")), grpcStatus.PERMISSION_DENIED);
    const { ack } = await calls.suspendSession(suspend, as("alice"));
    expect(ack).toMatchObject({ ok: true, messageId: "", sessionState: SessionState.SUSPENDED });
    expect(await errorCode(calls, "alice", proposal(id))).toBe("SESSION_NOT_OPEN");
    const twice = await calls.suspendSession(suspend, as("alice"));
    expect(twice.ack).toMatchObject({ ok: false, error: { code: "SESSION_NOT_OPEN" } });
    const resumed = await calls.resumeSession(resume, as("alice"));
    expect(resumed.ack).toMatchObject({ ok: true, sessionState: SessionState.OPEN });
    expect(await errorCode(calls, "alice", proposal(id))).toBe("ok");
    const unknown = create(SuspendSessionRequestSchema, { sessionId: newSessionId() });
    await failed(calls.suspendSession(unknown, as("alice")), grpcStatus.NOT_FOUND);
  });

  test("a suspension that lasts too long ends the session", async () => {
    const calls = await connect();
    const id = await accepted(calls, "alice", start("decision", { maxSuspendMs: 1n }));
    await calls.suspendSession(create(SuspendSessionRequestSchema, { sessionId: id }), as("alice"));
    await expect
      .poll(async () => (await metadata(calls, id))?.state, { interval: 5, timeout: 5_000 })
      .toBe(SessionState.EXPIRED);
    const resume = create(ResumeSessionRequestSchema, { sessionId: id });
    const { ack } = await calls.resumeSession(resume, as("alice"));
    expect(ack).toMatchObject({ ok: false, error: { code: "SESSION_NOT_OPEN" } });
  });

  test("ListSessions shows all of them, to whoever is authenticated", async () => {
    const calls = await connect();
    const id = await accepted(calls, "alice", start("decision"));
    const { sessions } = await calls.listSessions(create(ListSessionsRequestSchema), as("mallory"));
    expect(sessions.map(({ sessionId }) => sessionId)).toContain(id);
    await failed(
      calls.listSessions(create(ListSessionsRequestSchema), {}),
      grpcStatus.UNAUTHENTICATED,
    );
  });

  test("ListSessions in pages", async () => {
    const calls = await connect();
    const ids = new Set<string>();
    for (let n = 0; n < 5; n++) ids.add(await accepted(calls, "alice", start("decision")));
    const seen: string[] = [];
    let pageToken = "";
    do {
      const request = create(ListSessionsRequestSchema, { pageSize: 2, pageToken });
      const page = await calls.listSessions(request, as("alice"));
      expect(page.sessions.length).toBeLessThanOrEqual(2);
      seen.push(...page.sessions.map(({ sessionId }) => sessionId));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect(seen.filter((id) => ids.has(id)).toSorted()).toEqual([...ids].toSorted());
    expect(new Set(seen).size).toBe(seen.length);
    for (const bad of [{ pageSize: -1 }, { pageToken: "%%%" }, { pageToken: "eA" }]) {
      const request = create(ListSessionsRequestSchema, bad);
      await failed(calls.listSessions(request, as("alice")), grpcStatus.INVALID_ARGUMENT);
    }
  });
}
