import { create } from "@bufbuild/protobuf";
import { expect, onTestFinished, test } from "vitest";
import {
  InitializeRequestSchema,
  ListSessionsRequestSchema,
  SendRequestSchema,
  WatchModeRegistryRequestSchema,
  WatchSignalsRequestSchema,
} from "../generated/macp/v1/core_pb.ts";
import { grpcStatus } from "../protocol/error-codes.ts";
import { statusOf } from "../protocol/refusal.ts";
import { createRuntime } from "../runtime/create-runtime.ts";
import { extension, reader } from "../runtime/testdata/calls.test-kit.ts";
import {
  accepted,
  as,
  collect,
  proposal,
  signal,
  start,
  subscribe,
} from "../runtime/testdata/messages.test-kit.ts";

function connected() {
  const runtime = createRuntime();
  onTestFinished(async () => runtime.close());
  return { runtime, transport: runtime.connect() };
}

test("what was sent and what was received is nobody else's to change", async () => {
  const {
    transport: { calls },
  } = connected();
  const begin = start("decision");
  const id = await accepted(calls, "alice", begin);
  const sent = proposal(id);
  const { messageId, payload } = { ...sent, payload: sent.payload.slice() };
  await accepted(calls, "alice", sent);
  sent.payload.fill(0);
  sent.messageId = "changed";
  const history = async () => {
    const stream = calls.streamSession(as("bob"));
    await stream.send(subscribe(id, 1n));
    stream.end();
    const [first] = await collect(stream);
    if (first?.response.case !== "envelope") throw new Error("no envelope");
    return first.response.value;
  };
  const received = await history();
  expect(received.payload).toEqual(payload);
  received.payload.fill(0);
  received.messageId = "changed";
  expect(await history()).toMatchObject({ messageId, payload });
});

test("a descriptor is copied on its way in and out", async () => {
  const {
    runtime,
    transport: { calls },
  } = connected();
  const request = extension("ext.mine.v1");
  await calls.registerExtMode(request, as("alice"));
  request.modeDescriptor?.messageTypes.push("Later");
  const listed = runtime.kernel.modes.extensions().find(({ mode }) => mode === "ext.mine.v1");
  expect(listed?.messageTypes).toEqual(["Note", "Commitment"]);
});

test("a signal that is sent right after the watch began arrives", async () => {
  const {
    transport: { calls },
  } = connected();
  const { next } = reader(calls.watchSignals(create(WatchSignalsRequestSchema), as("alice")));
  await accepted(calls, "bob", signal("note"));
  expect((await next()).envelope?.sender).toBe("bob");
});

test("aborting ends a call and a stream with the signal's reason, and the runtime hears of it", async () => {
  const {
    runtime,
    transport: { calls },
  } = connected();
  const abort = new AbortController();
  const watch = calls.watchModeRegistry(create(WatchModeRegistryRequestSchema), {
    signal: abort.signal,
  });
  const { next } = reader(watch);
  await next();
  const waiting = next();
  const reason = new Error("enough");
  abort.abort(reason);
  await expect(waiting).rejects.toBe(reason);
  const call = calls.listSessions(create(ListSessionsRequestSchema), {
    ...as("alice"),
    signal: abort.signal,
  });
  await expect(call).rejects.toBe(reason);
  // Nobody listens any more: publishing reaches no closed stream.
  runtime.kernel.modes.register(extension("ext.mine.v1").modeDescriptor as never);
});

test("a closed connection is UNAVAILABLE, ends its streams and leaves the runtime running", async () => {
  const { runtime, transport } = connected();
  const watch = collect(
    transport.calls.watchModeRegistry(create(WatchModeRegistryRequestSchema), {}),
  );
  const stream = transport.calls.streamSession(as("alice"));
  await transport.close();
  expect(await watch).toBeInstanceOf(Array);
  await expect(stream.send(subscribe("x"))).rejects.toSatisfy(unavailable);
  const hello = create(InitializeRequestSchema, { supportedProtocolVersions: ["1.0"] });
  await expect(transport.calls.initialize(hello, {})).rejects.toSatisfy(unavailable);
  expect((await runtime.connect().calls.initialize(hello, {})).selectedProtocolVersion).toBe("1.0");
});

test("a closed runtime refuses", async () => {
  const {
    runtime,
    transport: { calls },
  } = connected();
  await runtime.close();
  const { ack } = await calls.send(
    create(SendRequestSchema, { envelope: start("decision") }),
    as("alice"),
  );
  expect(ack).toMatchObject({ ok: false, error: { code: "INTERNAL_ERROR" } });
});

const unavailable = (error: unknown): boolean => statusOf(error) === grpcStatus.UNAVAILABLE;
