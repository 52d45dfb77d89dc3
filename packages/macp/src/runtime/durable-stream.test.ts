import { expect, onTestFinished, test } from "vitest";
import type { Transport } from "../client/transport.ts";
import { openSqliteStore } from "../storage/sqlite-store.ts";
import { createGrpcTransport } from "../transports/grpc-transport.ts";
import { createRuntime, type Runtime } from "./create-runtime.ts";
import { idOf, reader } from "./testdata/calls.test-kit.ts";
import { as, frame, proposal, start } from "./testdata/messages.test-kit.ts";
import { directory } from "./testdata/program.test-kit.ts";

function durable(): Runtime {
  const runtime = createRuntime({ store: openSqliteStore({ directory: directory() }) });
  onTestFinished(async () => runtime.close());
  return runtime;
}

const overGrpc = async (runtime: Runtime): Promise<Transport> => {
  const { target } = await runtime.listen({ allowInsecure: true });
  return createGrpcTransport({ target, allowInsecure: true });
};

test.each([
  ["in process", async (runtime: Runtime) => runtime.connect()],
  ["over gRPC", overGrpc],
])("%s: a sender that does not wait gets every envelope back, in order", async (_, connect) => {
  const transport = await connect(durable());
  onTestFinished(async () => transport.close());
  const stream = transport.calls.streamSession(as("alice"));
  const { next } = reader(stream);
  const begin = start("decision");
  const messageIds = Array.from({ length: 1_000 }, (_item, n) => `m${n}`);
  const received = (async () => {
    const ids: (string | undefined)[] = [];
    for (let n = 0; n <= messageIds.length; n++) ids.push(idOf(await next()));
    return ids;
  })();
  const sending = [
    begin,
    ...messageIds.map((messageId) => proposal(begin.sessionId, { messageId })),
  ];
  await Promise.all(sending.map(async (envelope) => stream.send(frame(envelope))));
  expect(await received).toEqual([begin.messageId, ...messageIds]);
});

test("half-close waits for what is on its way to the disk", async () => {
  const stream = durable().connect().calls.streamSession(as("alice"));
  const begin = start("decision");
  const sends = [stream.send(frame(begin)), stream.send(frame(proposal(begin.sessionId)))];
  stream.end();
  await Promise.all(sends);
  const ids: (string | undefined)[] = [];
  for await (const message of stream) ids.push(idOf(message));
  expect(ids).toHaveLength(2);
});
