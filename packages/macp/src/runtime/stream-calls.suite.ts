import {
  CancelSessionRequestSchema,
  ResumeSessionRequestSchema,
  StreamSessionRequestSchema,
  SuspendSessionRequestSchema,
} from "../generated/macp/v1/core_pb.ts";
import { toEnvelope } from "../protocol/envelope.ts";
import { grpcStatus } from "../protocol/error-codes.ts";
import { newSessionId } from "../protocol/ids.ts";
import { encodeCorePayload } from "../protocol/payload.ts";
import { type Connect, reader, failed, idOf, errorOf, opened } from "./testdata/calls.test-kit.ts";
import {
  accepted,
  as,
  collect,
  commitment,
  frame,
  proposal,
  signal,
  start,
  subscribe,
} from "./testdata/messages.test-kit.ts";
import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";

export function describeStream(connect: Connect): void {
  test("a sender gets its own accepted envelopes back, in order, and nothing for a duplicate", async () => {
    const calls = await connect();
    const stream = opened(calls, "alice");
    const { next } = reader(stream);
    const begin = start("decision");
    const [first, second] = [
      proposal(begin.sessionId),
      proposal(begin.sessionId, { messageId: "p2" }),
    ];
    for (const envelope of [begin, first, first, second]) await stream.send(frame(envelope));
    for (const envelope of [begin, first, second]) {
      expect((await next()).response).toMatchObject({
        case: "envelope",
        value: { ...envelope, sender: "alice" },
      });
    }
  });

  test("others' envelopes arrive live", async () => {
    const calls = await connect();
    const stream = opened(calls, "alice");
    const { next } = reader(stream);
    const begin = start("decision");
    await stream.send(frame(begin));
    expect(idOf(await next())).toBe(begin.messageId);
    const sent = proposal(begin.sessionId);
    await accepted(calls, "bob", sent);
    expect(idOf(await next())).toBe(sent.messageId);
  });

  test("subscribing replays from the ordinal and goes on live", async () => {
    const calls = await connect();
    const begin = start("decision");
    const id = await accepted(calls, "alice", begin);
    const proposals = ["p1", "p2", "p3"].map((messageId) => proposal(id, { messageId }));
    for (const envelope of proposals.slice(0, 2)) await accepted(calls, "alice", envelope);
    const stream = opened(calls, "bob");
    const { next } = reader(stream);
    await stream.send(subscribe(id));
    expect([await next(), await next(), await next()].map(idOf)).toEqual([
      begin.messageId,
      "p1",
      "p2",
    ]);
    const later = opened(calls, "bob");
    const second = reader(later);
    await later.send(subscribe(id, 2n));
    expect(idOf(await second.next())).toBe("p2");
    await accepted(calls, "alice", proposals[2] as never);
    expect(idOf(await next())).toBe("p3");
    expect(idOf(await second.next())).toBe("p3");
  });

  test.each([2n, 3n, 2n ** 64n - 1n])(
    "after %d, the end or beyond: only what comes",
    async (after) => {
      const calls = await connect();
      const id = await accepted(calls, "alice", start("decision"));
      await accepted(calls, "alice", proposal(id));
      const stream = opened(calls, "bob");
      const { next } = reader(stream);
      await stream.send(subscribe(id, after));
      // Refused in the stream, after what the history would have given.
      await stream.send(frame(proposal(id, { messageId: "" })));
      expect(errorOf(await next())?.message).toContain("InvalidEnvelope");
      await accepted(calls, "alice", proposal(id, { messageId: "later" }));
      expect(idOf(await next())).toBe("later");
    },
  );

  test("subscribing again replays again, and what comes then comes once", async () => {
    const calls = await connect();
    const begin = start("decision");
    const id = await accepted(calls, "alice", begin);
    const stream = opened(calls, "bob");
    const { next } = reader(stream);
    for (let turn = 0; turn < 2; turn++) {
      await stream.send(subscribe(id));
      expect(idOf(await next())).toBe(begin.messageId);
    }
    for (const messageId of ["p1", "p2"]) {
      await accepted(calls, "alice", proposal(id, { messageId }));
      expect(idOf(await next())).toBe(messageId);
    }
  });

  test("what is sent while the history is on its way comes once, after it", async () => {
    const calls = await connect();
    const begin = start("decision");
    const id = await accepted(calls, "alice", begin);
    const before = Array.from({ length: 60 }, (_, n) => `b${n}`);
    for (const messageId of before) await accepted(calls, "alice", proposal(id, { messageId }));
    const stream = opened(calls, "bob");
    await stream.send(subscribe(id));
    await stream.send(frame(proposal(id, { messageId: "own" })));
    await accepted(calls, "alice", proposal(id, { messageId: "other" }));
    const { next } = reader(stream);
    const ids: (string | undefined)[] = [];
    while (ids.length < before.length + 3) ids.push(idOf(await next()));
    expect(ids).toEqual([begin.messageId, ...before, expect.any(String), expect.any(String)]);
    expect(new Set(ids.slice(-2))).toEqual(new Set(["own", "other"]));
    await accepted(calls, "alice", proposal(id, { messageId: "last" }));
    expect(idOf(await next())).toBe("last");
  });

  test("what the runtime does to a session is not streamed and takes no ordinal", async () => {
    const calls = await connect();
    const id = await accepted(calls, "alice", start("decision"));
    await calls.suspendSession(create(SuspendSessionRequestSchema, { sessionId: id }), as("alice"));
    await calls.resumeSession(create(ResumeSessionRequestSchema, { sessionId: id }), as("alice"));
    await accepted(calls, "alice", proposal(id, { messageId: "p1" }));
    await calls.cancelSession(create(CancelSessionRequestSchema, { sessionId: id }), as("alice"));
    const stream = opened(calls, "bob");
    await stream.send(subscribe(id, 1n));
    stream.end();
    expect((await collect(stream)).map(idOf)).toEqual(["p1"]);
  });

  test("the history of a resolved session stays", async () => {
    const calls = await connect();
    const id = await accepted(calls, "alice", start("decision"));
    await accepted(calls, "alice", proposal(id));
    await accepted(calls, "alice", commitment("decision", id));
    const stream = opened(calls, "bob");
    await stream.send(subscribe(id));
    stream.end();
    expect(await collect(stream)).toHaveLength(3);
  });

  test("an unknown session ends the stream, a stranger gets an error and may go on", async () => {
    const calls = await connect();
    const unknown = opened(calls, "alice");
    await unknown.send(subscribe(newSessionId()));
    expect(await reader(unknown).status()).toBe(grpcStatus.NOT_FOUND);

    const id = await accepted(calls, "alice", start("decision"));
    const stream = opened(calls, "mallory");
    const { next } = reader(stream);
    await stream.send(subscribe(id));
    expect(errorOf(await next())?.code).toMatch(/^FORBIDDEN/);
    // Not bound by a subscription that was refused.
    const own = start("decision", { participants: ["mallory"] });
    await stream.send(frame(own));
    expect(idOf(await next())).toBe(own.messageId);
  });

  test.each<[string, (id: string) => ReturnType<typeof frame>]>([
    [
      "both",
      (id) =>
        create(StreamSessionRequestSchema, { envelope: proposal(id), subscribeSessionId: id }),
    ],
    ["neither", () => create(StreamSessionRequestSchema)],
    ["a Signal", () => frame(signal("note"))],
    ["another mode", (id) => frame({ ...proposal(id), mode: "macp.mode.task.v1" })],
  ])("a frame with %s ends it with INVALID_ARGUMENT", async (_, make) => {
    const calls = await connect();
    const id = await accepted(calls, "alice", start("decision"));
    const stream = opened(calls, "alice");
    await stream.send(make(id));
    expect(await reader(stream).status()).toBe(grpcStatus.INVALID_ARGUMENT);
  });

  test("one stream is for one session", async () => {
    const calls = await connect();
    const [a, b] = [start("decision"), start("decision")];
    const envelopes = opened(calls, "alice");
    const first = reader(envelopes);
    await envelopes.send(frame(a));
    expect(idOf(await first.next())).toBe(a.messageId);
    await envelopes.send(frame(b));
    expect(await first.status()).toBe(grpcStatus.INVALID_ARGUMENT);

    await accepted(calls, "alice", b);
    const subscribed = opened(calls, "alice");
    const second = reader(subscribed);
    await subscribed.send(subscribe(a.sessionId));
    await second.next();
    await subscribed.send(subscribe(b.sessionId));
    expect(await second.status()).toBe(grpcStatus.INVALID_ARGUMENT);
  });

  test("a refused message is an error in the stream, which goes on", async () => {
    const calls = await connect();
    const stream = opened(calls, "alice");
    const { next } = reader(stream);
    const begin = start("decision");
    const id = begin.sessionId;
    await stream.send(frame(begin));
    await next();
    await stream.send(frame({ ...proposal(id), payload: new Uint8Array([0xff]) }));
    expect(errorOf(await next())?.code).toMatch(/^(InvalidPayload|INVALID_ENVELOPE)/);
    await stream.send(frame(proposal(id, { messageId: "p9" })));
    expect(idOf(await next())).toBe("p9");
  });

  test("an unknown session in an envelope is an error, and binds", async () => {
    const calls = await connect();
    const stream = opened(calls, "alice");
    const { next, status } = reader(stream);
    const envelope = proposal(newSessionId());
    await stream.send(frame(envelope));
    expect(errorOf(await next())?.code).toMatch(/^(UnknownSession|SESSION_NOT_FOUND)/);
    await stream.send(frame(start("decision")));
    expect(await status()).toBe(grpcStatus.INVALID_ARGUMENT);
  });

  test("a session that is not open ends the stream, even for a duplicate", async () => {
    const calls = await connect();
    const id = await accepted(calls, "alice", start("decision"));
    const sent = proposal(id);
    await accepted(calls, "alice", sent);
    await accepted(calls, "alice", commitment("decision", id));
    const stream = opened(calls, "alice");
    await stream.send(frame(sent));
    const over = await failed(collect(stream), grpcStatus.INVALID_ARGUMENT);
    expect(over).toBe("SESSION_NOT_OPEN");
  });

  test("a second start ends the stream with ALREADY_EXISTS, another's name with UNAUTHENTICATED", async () => {
    const calls = await connect();
    const id = await accepted(calls, "alice", start("decision"));
    const twice = opened(calls, "alice");
    await twice.send(frame(start("decision", {}, { sessionId: id })));
    expect(await reader(twice).status()).toBe(grpcStatus.ALREADY_EXISTS);
    const spoofed = opened(calls, "alice");
    await spoofed.send(frame(proposal(id, { sender: "bob" })));
    expect(await reader(spoofed).status()).toBe(grpcStatus.UNAUTHENTICATED);
  });

  test("without a credential it does not open", async () => {
    const calls = await connect();
    const stream = calls.streamSession({});
    expect(await reader(stream).status()).toBe(grpcStatus.UNAUTHENTICATED);
  });

  test("half-close: what is buffered comes, then the end", async () => {
    const calls = await connect();
    const stream = opened(calls, "alice");
    const begin = start("decision");
    await stream.send(frame(begin));
    stream.end();
    expect((await collect(stream)).map(idOf)).toEqual([begin.messageId]);
  });

  test("it stays open after the commitment", async () => {
    const calls = await connect();
    const stream = opened(calls, "alice");
    const { next, ended } = reader(stream);
    const begin = start("decision");
    const commit = commitment("decision", begin.sessionId);
    for (const envelope of [begin, proposal(begin.sessionId), commit])
      await stream.send(frame(envelope));
    await next();
    await next();
    expect(idOf(await next())).toBe(commit.messageId);
    stream.end();
    expect(await ended()).toBe(true);
  });

  test("Progress of a session travels on it and is not echoed", async () => {
    const calls = await connect();
    const begin = start("decision");
    const stream = opened(calls, "alice");
    const { next } = reader(stream);
    await stream.send(frame(begin));
    await next();
    const payload = encodeCorePayload("Progress", { progressToken: "t", progress: 1, total: 2 });
    const { mode, sessionId } = begin;
    await stream.send(frame(toEnvelope({ messageType: "Progress", mode, sessionId, payload })));
    const sent = proposal(sessionId);
    await stream.send(frame(sent));
    expect(idOf(await next())).toBe(sent.messageId);
  });
}
