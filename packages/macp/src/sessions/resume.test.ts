import { expect, test } from "vitest";
import { createMacpClient } from "../client/client.ts";
import type { SessionStream, Transport } from "../client/transport.ts";
import { createMacpClient as createOverGrpc } from "../grpc.ts";
import { grpcStatus, type GrpcStatus } from "../protocol/error-codes.ts";
import { statusError } from "../protocol/refusal.ts";
import { createRuntime } from "../runtime/create-runtime.ts";
import { ann, bob, openWorld, party } from "./worlds.test-kit.ts";

/** The runtime's own transport, with something before each frame of a session stream; frames are counted from 0. */
function through(transport: Transport, before: (frame: number) => void | Promise<void>): Transport {
  const streamSession: Transport["calls"]["streamSession"] = (options) => {
    const stream: SessionStream = transport.calls.streamSession(options);
    return {
      send: (frame) => stream.send(frame),
      end: () => stream.end(),
      cancel: () => stream.cancel(),
      async *[Symbol.asyncIterator]() {
        let count = 0;
        for await (const frame of stream) {
          await before(count++);
          yield frame;
        }
      },
    };
  };
  return { calls: { ...transport.calls, streamSession }, close: () => transport.close() };
}

/** Session streams are cut after that many frames, each time. */
const cutting = (transport: Transport, frames: number, status: GrpcStatus) =>
  through(transport, (frame) => {
    if (frame === frames) throw statusError({ status, message: "cut" });
  });

const retry = { retries: 3, baseMs: 1, maxMs: 2 };

test.each([
  ["lost", grpcStatus.UNAVAILABLE],
  ["too far behind", grpcStatus.RESOURCE_EXHAUSTED],
])(
  "a stream that is %s goes on where it stopped: nothing missed, nothing twice",
  async (_, status) => {
    const { runtime } = openWorld();
    await using client = createMacpClient({
      transport: cutting(runtime.connect(), 3, status),
      auth: ann,
      retry,
    });
    await using session = await client.proposal.start(party);
    for (let i = 0; i < 10; i++) {
      await session.propose(`p${i}`, "t", { as: i % 2 === 0 ? ann : bob });
      expect(session.projection.transcript).toHaveLength(i + 2);
    }
    const accepted = runtime.kernel.history(session.id)?.map(({ envelope }) => envelope.messageId);
    expect(session.projection.transcript.map(({ messageId }) => messageId)).toEqual(accepted);
  },
);

test("a stream that is refused is not opened again, and says so", async () => {
  const { runtime } = openWorld();
  await using client = createMacpClient({
    transport: cutting(runtime.connect(), 2, grpcStatus.PERMISSION_DENIED),
    auth: ann,
    retry,
  });
  await using session = await client.proposal.start(party);
  await session.propose("p", "t");
  // Accepted all the same, so it is in the projection as it was sent.
  await session.propose("q", "t");
  expect([...session.projection.state.proposals.keys()]).toEqual(["p", "q"]);
  await expect(session.until(() => false)).rejects.toMatchObject({ code: "forbidden" });
});

test("over gRPC: a listener that goes and comes back is one session", async () => {
  await using runtime = createRuntime();
  const first = await runtime.listen({ allowInsecure: true });
  await using client = createOverGrpc({
    target: first.target,
    allowInsecure: true,
    auth: ann,
    retry: { retries: 8, baseMs: 10, maxMs: 50 },
    channel: { options: { "grpc.initial_reconnect_backoff_ms": 20 } },
  });
  await using session = await client.decision.start(party);
  await session.propose("p", "t");
  await first.close();
  // Accepted while nobody can listen.
  await using inside = createMacpClient({ runtime, auth: bob });
  await using theirs = await inside.decision.join(session.id);
  await theirs.vote("p", "approve");
  await runtime.listen({ port: first.port, allowInsecure: true });
  expect(await session.until((p) => p.majorityWinner())).toBe("p");
  await session.vote("p", "approve");
  expect(session.projection.voteTotals().get("p")?.approve).toBe(2);
});

test("what was accepted before the end is heard, even where the end is known first", async () => {
  const { runtime, as } = openWorld();
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const late = through(runtime.connect(), async (frame) => {
    if (frame > 0) await held;
  });
  await using client = createMacpClient({ transport: late, auth: ann });
  await using session = await client.proposal.start(party);
  const listening = (async () => {
    const heard: string[] = [];
    for await (const { messageType } of session.messages()) heard.push(messageType);
    return heard;
  })();
  await using theirs = await as(bob).proposal.join(session.id);
  await theirs.propose("p", "t");
  await client.cancelSession(session.id, "enough");
  for await (const { session: known } of client.watchSessions()) {
    if (known.state === "CANCELLED") break;
  }
  release();
  expect(await listening).toEqual(["SessionStart", "Proposal"]);
  expect(session.ending).toBe("cancelled");
});

test("over gRPC: more sessions at once than a connection takes calls", async () => {
  await using runtime = createRuntime();
  const { target } = await runtime.listen({ allowInsecure: true, maxConcurrentStreams: 100 });
  await using client = createOverGrpc({ target, allowInsecure: true, auth: ann });
  const sessions = await Promise.all(
    Array.from({ length: 150 }, async () => client.decision.start(party)),
  );
  await Promise.all(sessions.map(async (session) => session.propose("p", "t")));
  const heard = sessions.map(({ projection }) => projection.state.proposals.size);
  expect(heard).toEqual(sessions.map(() => 1));
});
