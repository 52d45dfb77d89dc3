import { create } from "@bufbuild/protobuf";
import { AgentKeysError } from "@agentkeys/contract";
import { expect, onTestFinished, test } from "vitest";
import {
  SessionLifecycleEvent_EventType as EventType,
  WatchModeRegistryResponseSchema,
  WatchRootsResponseSchema,
  WatchSessionsResponseSchema,
  WatchSignalsResponseSchema,
} from "../generated/macp/v1/core_pb.ts";
import { SessionState } from "../generated/macp/v1/envelope_pb.ts";
import { WatchPoliciesResponseSchema } from "../generated/macp/v1/policy_pb.ts";
import { bearer } from "../protocol/auth.ts";
import { toEnvelope } from "../protocol/envelope.ts";
import { grpcStatus } from "../protocol/error-codes.ts";
import { encodeCorePayload } from "../protocol/payload.ts";
import { statusOf } from "../protocol/refusal.ts";
import {
  deferred,
  failure,
  type Script,
  scriptedRuntime,
} from "../transports/grpc-server.test-kit.ts";
import { createGrpcTransport } from "../transports/grpc-transport.ts";
import { createMacpClient, type MacpClient } from "./client.ts";
import type { ClientSettings } from "./client-surface.ts";

function used<T extends AsyncDisposable>(resource: T): T {
  onTestFinished(async () => resource[Symbol.asyncDispose]());
  return resource;
}

async function clientOf(script: Script, settings: ClientSettings = {}): Promise<MacpClient> {
  const { target } = used(await scriptedRuntime(script));
  const transport = createGrpcTransport({ target, allowInsecure: true });
  const retry = { retries: 2, baseMs: 1, maxMs: 20 };
  return used(createMacpClient({ transport, retry, ...settings }));
}

async function take<T>(events: AsyncIterable<T>, count: number): Promise<T[]> {
  const taken: T[] = [];
  for await (const event of events) {
    taken.push(event);
    if (taken.length === count) break;
  }
  return taken;
}

const caught = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.fail("resolved"),
    (error: unknown) => error,
  );

const lagged = () => failure(grpcStatus.RESOURCE_EXHAUSTED, "lagged");
const signal = (signalType: string) =>
  create(WatchSignalsResponseSchema, {
    envelope: toEnvelope({
      messageType: "Signal",
      messageId: signalType,
      sender: "alice",
      timestampMs: 7,
      payload: encodeCorePayload("Signal", { signalType, confidence: 0.5 }),
    }),
  });
const session = (sessionId: string, eventType: EventType, state: SessionState) =>
  create(WatchSessionsResponseSchema, {
    event: { eventType, observedAtUnixMs: 5n, session: { sessionId, state } },
  });

test("registry, roots and policies come as plain events", async () => {
  const client = await clientOf({
    watchModeRegistry: (call) =>
      void call.write(
        create(WatchModeRegistryResponseSchema, {
          change: { registry: "modes", observedAtUnixMs: 3n },
        }),
      ),
    watchRoots: (call) =>
      void call.write(create(WatchRootsResponseSchema, { change: { observedAtUnixMs: 4n } })),
    watchPolicies: (call) =>
      void call.write(
        create(WatchPoliciesResponseSchema, {
          descriptors: [{ policyId: "p", mode: "*", rules: "{}", schemaVersion: 2 }],
        }),
      ),
  });
  expect(await take(client.watchModes(), 1)).toEqual([{ observedAtMs: 3 }]);
  expect(await take(client.watchRoots(), 1)).toEqual([{ observedAtMs: 4 }]);
  expect(await take(client.watchPolicies(), 1)).toEqual([
    [
      {
        policyId: "p",
        mode: "*",
        description: "",
        rules: "{}",
        schemaVersion: 2,
        registeredAtMs: 0,
      },
    ],
  ]);
});

test("a registry watch that the runtime ends without a word is opened again", async () => {
  let opened = 0;
  const client = await clientOf({
    watchModeRegistry: (call) => {
      call.write(
        create(WatchModeRegistryResponseSchema, { change: { observedAtUnixMs: BigInt(++opened) } }),
      );
      call.end();
    },
  });
  expect(await take(client.watchModes(), 3)).toEqual(
    [1, 2, 3].map((observedAtMs) => ({ observedAtMs })),
  );
});

test("signals and progress are told apart; what is neither is left out; a cut is a gap", async () => {
  let opened = 0;
  const progress = encodeCorePayload("Progress", { progressToken: "t", progress: 1, total: 4 });
  const client = await clientOf({
    watchSignals: (call) => {
      if (++opened === 1) {
        call.write(signal("one"));
        call.write(create(WatchSignalsResponseSchema));
        call.write(
          create(WatchSignalsResponseSchema, {
            envelope: toEnvelope({ messageType: "Vote", payload: progress }),
          }),
        );
        call.write(
          create(WatchSignalsResponseSchema, {
            envelope: toEnvelope({ messageType: "Signal", payload: Uint8Array.of(0xff) }),
          }),
        );
        call.write(
          create(WatchSignalsResponseSchema, {
            envelope: toEnvelope({
              messageType: "Progress",
              messageId: "p",
              sessionId: "s",
              timestampMs: 8,
              payload: progress,
            }),
          }),
        );
        call.emit("error", lagged());
      } else call.write(signal("two"));
    },
  });
  expect(await take(client.watchSignals(), 4)).toMatchObject([
    {
      type: "signal",
      signalType: "one",
      sender: "alice",
      messageId: "one",
      timestampMs: 7,
      confidence: 0.5,
    },
    {
      type: "progress",
      sessionId: "s",
      messageId: "p",
      progressToken: "t",
      progress: 1,
      total: 4,
      timestampMs: 8,
    },
    { type: "gap" },
    { type: "signal", signalType: "two" },
  ]);
});

test("after a cut, sessions tell what changed meanwhile, once", async () => {
  let opened = 0;
  const { OPEN, RESOLVED, SUSPENDED, CANCELLED } = SessionState;
  const client = await clientOf({
    watchSessions: (call) => {
      if (++opened === 1) {
        for (const id of ["a", "b", "c", "d"]) call.write(session(id, EventType.CREATED, OPEN));
        call.write(session("c", EventType.SUSPENDED, SUSPENDED));
        call.write(session("d", EventType.CANCELLED, CANCELLED));
        call.emit("error", failure(grpcStatus.UNAVAILABLE, "restart"));
        return;
      }
      call.write(session("a", EventType.CREATED, OPEN));
      call.write(session("b", EventType.CREATED, RESOLVED));
      call.write(session("c", EventType.CREATED, OPEN));
      call.write(session("d", EventType.CREATED, CANCELLED));
      call.write(session("e", EventType.CREATED, OPEN));
      call.write(session("a", EventType.RESOLVED, RESOLVED));
    },
  });
  const events = await take(client.watchSessions(), 10);
  expect(
    events.map(({ type, session: { sessionId, state } }) => `${sessionId} ${type} ${state}`),
  ).toEqual([
    "a CREATED OPEN",
    "b CREATED OPEN",
    "c CREATED OPEN",
    "d CREATED OPEN",
    "c SUSPENDED SUSPENDED",
    "d CANCELLED CANCELLED",
    "b RESOLVED RESOLVED",
    "c RESUMED OPEN",
    "e CREATED OPEN",
    "a RESOLVED RESOLVED",
  ]);
  expect(opened).toBe(2);
});

test.each([
  [grpcStatus.UNAUTHENTICATED],
  [grpcStatus.PERMISSION_DENIED],
  [grpcStatus.UNIMPLEMENTED],
])("a watch refused with status %i is not opened again", async (status) => {
  let opened = 0;
  const client = await clientOf({
    watchSessions: (call) => {
      opened++;
      call.emit("error", failure(status, "no"));
    },
  });
  expect(statusOf(await caught(take(client.watchSessions(), 1)))).toBe(status);
  expect(opened).toBe(1);
});

test("a runtime that was never reached is given up; one that was is waited for", async () => {
  const nowhere = createMacpClient({
    transport: createGrpcTransport({ target: "127.0.0.1:1", allowInsecure: true }),
    retry: { retries: 2, baseMs: 1, maxMs: 60_000 },
  });
  const error = await caught(take(nowhere.watchRoots(), 1));
  expect(AgentKeysError.is(error, "authority_unavailable")).toBe(true);
  await nowhere.close();

  const first = await scriptedRuntime({
    watchRoots: (call) =>
      void call.write(create(WatchRootsResponseSchema, { change: { observedAtUnixMs: 1n } })),
  });
  const cuts: unknown[] = [];
  const enough = deferred();
  const client = createMacpClient({
    transport: createGrpcTransport({
      target: first.target,
      allowInsecure: true,
      channel: {
        options: { "grpc.initial_reconnect_backoff_ms": 50, "grpc.max_reconnect_backoff_ms": 50 },
      },
    }),
    retry: { retries: 1, baseMs: 1, maxMs: 10 },
    log: ({ fields }) => {
      if (cuts.push(fields["status"]) === 5) enough.resolve();
    },
  });
  const roots = client.watchRoots();
  expect((await roots.next()).value).toEqual({ observedAtMs: 1 });
  const next = roots.next();
  await first[Symbol.asyncDispose]();
  await enough.promise;
  const second = await scriptedRuntime(
    {
      watchRoots: (call) =>
        void call.write(create(WatchRootsResponseSchema, { change: { observedAtUnixMs: 2n } })),
    },
    { target: first.target },
  );
  expect((await next).value).toEqual({ observedAtMs: 2 });
  await client.close();
  await second[Symbol.asyncDispose]();
});

test("closing the client ends a watch without an error, an abort with its reason", async () => {
  const client = await clientOf({ watchSignals: (call) => void call.write(signal("one")) });
  const abort = new AbortController();
  const reason = new Error("enough");
  const aborted = client.watchSignals({ signal: abort.signal });
  await aborted.next();
  abort.abort(reason);
  expect(await caught(aborted.next())).toBe(reason);
  const closed = client.watchSignals();
  await closed.next();
  const end = closed.next();
  await client.close();
  expect(await end).toEqual({ done: true, value: undefined });
});

test("closing and aborting end the pause before a watch is opened again", async () => {
  const cut: Script = {
    watchSignals: (call) => {
      call.write(signal("one"));
      call.emit("error", lagged());
    },
  };
  const retry = { baseMs: 60_000, maxMs: 60_000 };
  const client = await clientOf(cut, { retry, log: () => setImmediate(() => void client.close()) });
  const events: unknown[] = [];
  for await (const event of client.watchSignals()) events.push(event);
  expect(events).toHaveLength(1);
  const abort = new AbortController();
  const reason = new Error("enough");
  const other = await clientOf(cut, { retry, log: () => setImmediate(() => abort.abort(reason)) });
  expect(await caught(take(other.watchSignals({ signal: abort.signal }), 2))).toBe(reason);
});

test("without resume the first cut is the end", async () => {
  const client = await clientOf({
    watchSignals: (call) => {
      call.write(signal("one"));
      call.emit("error", lagged());
    },
    watchRoots: (call) => call.end(),
  });
  expect(statusOf(await caught(take(client.watchSignals({ resume: false }), 2)))).toBe(
    grpcStatus.RESOURCE_EXHAUSTED,
  );
  expect(await take(client.watchRoots({ resume: false }), 1)).toEqual([]);
});

test("a watch opens with the call and carries the credential, its own before the client's", async () => {
  const seen: unknown[] = [];
  const opened = deferred();
  const client = await clientOf(
    {
      watchSignals: (call) => {
        if (seen.push(call.metadata.get("authorization")[0]) === 2) opened.resolve();
      },
    },
    { auth: bearer("mine") },
  );
  client.watchSignals();
  client.watchSignals({ auth: bearer("theirs") });
  await opened.promise;
  expect(seen).toEqual(["Bearer mine", "Bearer theirs"]);
});
