import { expect, test } from "vitest";
import { newSessionId } from "../protocol/ids.ts";
import { encodePayload } from "../protocol/payload.ts";
import { createKernel } from "./create-kernel.ts";
import { createBench } from "./kernel.test-kit.ts";

const payload = (proposalId: string) =>
  encodePayload("decision", "Proposal", { proposalId, option: "o" });

test("who watches a session hears what is accepted, in order, with ordinals", async () => {
  const { kernel, open } = createBench();
  const sessionId = newSessionId();
  const heard: string[] = [];
  // Before there is such a session.
  const unwatch = kernel.watchSession(sessionId, ({ ordinal, envelope }) =>
    heard.push(`${ordinal} ${envelope.messageType} ${envelope.messageId}`),
  );
  const { raw } = await open("decision", { sessionId, envelope: { messageId: "m0" } });
  await raw("alice", "Proposal", payload("p1"), "m1");
  await raw("alice", "Proposal", payload("p1"), "m1");
  await raw("alice", "Proposal", payload("p1"), "m2");
  await raw("bob", "Proposal", payload("p2"), "m3");
  await open("decision");
  expect(heard).toEqual(["1 SessionStart m0", "2 Proposal m1", "3 Proposal m3"]);
  unwatch();
  await raw("bob", "Proposal", payload("p3"), "m4");
  expect(heard).toHaveLength(3);
});

test("history after an ordinal, and what is watched from the same tick, are everything once", async () => {
  const { kernel, open } = createBench();
  const { sessionId, raw } = await open("decision");
  await raw("alice", "Proposal", payload("p1"));
  const seen = kernel.history(sessionId, 1)?.map(({ ordinal }) => ordinal) ?? [];
  kernel.watchSession(sessionId, ({ ordinal }) => seen.push(ordinal));
  await raw("alice", "Proposal", payload("p2"));
  expect(seen).toEqual([2, 3]);
  expect(kernel.history(sessionId, 3)).toEqual([]);
  expect(kernel.history(newSessionId())).toBeUndefined();
});

test("the history has the very bytes", async () => {
  const { kernel, open } = createBench();
  const { sessionId, raw } = await open("decision");
  const bytes = new Uint8Array([...payload("p1"), 0xf8, 0x07, 0x01]);
  await raw("alice", "Proposal", bytes);
  expect(kernel.history(sessionId, 1)?.[0]?.envelope.payload).toEqual(bytes);
});

test("a sender that writes over its buffer changes no history", async () => {
  const { kernel, open, store, time } = createBench();
  const { sessionId, raw } = await open("decision");
  const bytes = payload("p1");
  const sent = raw("alice", "Proposal", bytes);
  bytes.fill(0);
  expect(await sent).toMatchObject({ ok: true });
  expect(kernel.history(sessionId, 1)?.[0]?.envelope.payload).toEqual(payload("p1"));
  expect(createKernel({ store, clock: () => time.now }).restored.failed).toEqual([]);
});

test("lifecycle events say how the session was right then", async () => {
  const { kernel, open, time } = createBench();
  const events: unknown[] = [];
  kernel.watchSessions(({ kind, session, observedAtMs }) =>
    events.push([kind, session.sessionId, session.state, observedAtMs - time.now]),
  );
  const { sessionId, say, commit } = await open("decision");
  await say("alice", "Proposal", { proposalId: "p1", option: "o" });
  await commit("coordinator", "done");
  expect(events).toEqual([
    ["CREATED", sessionId, "Open", 0],
    ["RESOLVED", sessionId, "Resolved", 0],
  ]);
});

test("a session that has ended is let go after its time, and in memory that is for ever", async () => {
  const { kernel, open, time } = createBench({ limits: { retentionMs: 1000 } });
  const [done, going] = [await open("decision"), await open("decision")];
  await kernel.cancel(done.sessionId, { by: "coordinator", reason: "" });
  time.now += 1001;
  kernel.sweep();
  expect(await kernel.get(done.sessionId)).toBeUndefined();
  expect(kernel.history(done.sessionId)).toBeUndefined();
  expect((await kernel.list()).map(({ sessionId }) => sessionId)).toEqual([going.sessionId]);
});

test("sessions are listed by id", async () => {
  const { kernel, open } = createBench();
  const ids = await Promise.all(
    Array.from({ length: 5 }, async () => (await open("decision")).sessionId),
  );
  expect((await kernel.list()).map(({ sessionId }) => sessionId)).toEqual(ids.toSorted());
});
