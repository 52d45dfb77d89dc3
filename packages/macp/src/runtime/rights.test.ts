import { create } from "@bufbuild/protobuf";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import type { RuntimeCalls } from "../client/transport.ts";
import {
  GetSessionRequestSchema,
  ListSessionsRequestSchema,
  SendRequestSchema,
  StreamSessionRequestSchema,
} from "../generated/macp/v1/core_pb.ts";
import type { Envelope } from "../generated/macp/v1/envelope_pb.ts";
import {
  ListPoliciesRequestSchema,
  WatchPoliciesRequestSchema,
} from "../generated/macp/v1/policy_pb.ts";
import { bearer } from "../protocol/auth.ts";
import { grpcStatus } from "../protocol/error-codes.ts";
import { createRuntime, type Runtime } from "./create-runtime.ts";
import {
  errorOf,
  extension,
  idOf,
  policy,
  reader,
  statusAfter,
} from "./testdata/calls.test-kit.ts";
import {
  commitment,
  frame,
  proposal,
  signal,
  start,
  subscribe,
} from "./testdata/messages.test-kit.ts";

const tokens = [
  { token: "alice", sender: "alice" },
  { token: "bob", sender: "bob", can_start_sessions: false },
  {
    token: "narrow",
    sender: "narrow",
    allowed_modes: ["macp.mode.decision.v1"],
    max_open_sessions: 1,
  },
  { token: "observer", sender: "observer", is_observer: true },
  { token: "manager", sender: "manager", can_manage_mode_registry: true },
];

let runtime: Runtime;
let calls: RuntimeCalls;
beforeEach(() => {
  runtime = createRuntime({ auth: { tokens } });
  calls = runtime.connect().calls;
  return async () => runtime.close();
});

const by = (token: string) => ({ auth: bearer(token) });

async function code(token: string, envelope: Envelope): Promise<string> {
  const { ack } = await calls.send(create(SendRequestSchema, { envelope }), by(token));
  return ack?.ok === true ? "ok" : (ack?.error?.code ?? "");
}

async function started(changes: Parameters<typeof start>[1] = {}): Promise<string> {
  const envelope = start("decision", changes);
  expect(await code("alice", envelope)).toBe("ok");
  return envelope.sessionId;
}

test("an unknown token is nobody", async () => {
  expect(await code("other", start("decision"))).toBe("UNAUTHENTICATED");
  const list = calls.listSessions(create(ListSessionsRequestSchema), by("other"));
  expect(await statusAfter(list)).toBe(grpcStatus.UNAUTHENTICATED);
});

test("who may not start sessions may still speak in them", async () => {
  expect(await code("bob", start("decision"))).toBe("FORBIDDEN");
  expect(await code("bob", proposal(await started()))).toBe("ok");
});

test("modes that are not allowed, and Signals, which have none", async () => {
  expect(await code("narrow", start("task"))).toBe("FORBIDDEN");
  expect(await code("narrow", signal("note"))).toBe("FORBIDDEN");
  expect(await code("narrow", start("decision", { participants: ["narrow"] }))).toBe("ok");
});

test("a bound on open sessions frees a place when one ends", async () => {
  const first = start("decision", { participants: ["narrow"] });
  expect(await code("narrow", first)).toBe("ok");
  expect(await code("narrow", start("decision", { participants: ["narrow"] }))).toBe(
    "RATE_LIMITED",
  );
  expect(await code("narrow", proposal(first.sessionId))).toBe("ok");
  expect(await code("narrow", commitment("decision", first.sessionId))).toBe("ok");
  expect(await code("narrow", start("decision", { participants: ["narrow"] }))).toBe("ok");
});

test("an observer reads every session and speaks in none", async () => {
  const id = await started();
  const get = create(GetSessionRequestSchema, { sessionId: id });
  expect((await calls.getSession(get, by("observer"))).metadata?.sessionId).toBe(id);
  expect(await statusAfter(calls.getSession(get, by("manager")))).toBe(
    grpcStatus.PERMISSION_DENIED,
  );
  const stream = calls.streamSession(by("observer"));
  onTestFinished(() => stream.cancel());
  const { next } = reader(stream);
  await stream.send(subscribe(id));
  expect(idOf(await next())).toEqual(expect.any(String));
  await stream.send(frame(proposal(id)));
  expect(errorOf(await next())?.code).toBe("Forbidden");
});

test("registries are for whoever may manage them", async () => {
  for (const change of [
    (token: string) => calls.registerExtMode(extension("ext.mine.v1"), by(token)),
    (token: string) => calls.registerPolicy(policy("policy.mine"), by(token)),
  ]) {
    expect(await statusAfter(change("alice"))).toBe(grpcStatus.PERMISSION_DENIED);
    expect((await change("manager")).ok).toBe(true);
  }
});

test("policies are listed and watched by nobody without a credential", async () => {
  const list = calls.listPolicies(create(ListPoliciesRequestSchema), {});
  expect(await statusAfter(list)).toBe(grpcStatus.UNAUTHENTICATED);
  const watch = calls.watchPolicies(create(WatchPoliciesRequestSchema), {});
  expect(await reader(watch).status()).toBe(grpcStatus.UNAUTHENTICATED);
});

test("a stranger hears nothing of a session by sending into it", async () => {
  const id = await started();
  const stream = calls.streamSession(by("narrow"));
  onTestFinished(() => stream.cancel());
  const { next } = reader(stream);
  await stream.send(frame(proposal(id)));
  expect(errorOf(await next())?.code).toBe("Forbidden");
  expect(await code("alice", proposal(id, { messageId: "secret" }))).toBe("ok");
  // Its own next error comes next: the proposal between did not.
  await stream.send(frame(proposal(id, { messageId: "again" })));
  expect(errorOf(await next())).toMatchObject({ code: "Forbidden", messageId: "again" });
});

describe("limits", () => {
  test("messages of one sender in a minute, starts apart", async () => {
    let clock = Date.now();
    const limits = { messagesPerMinute: 2, sessionStartsPerMinute: 1 };
    runtime = createRuntime({ auth: { tokens }, limits, now: () => clock });
    onTestFinished(async () => runtime.close());
    calls = runtime.connect().calls;
    const id = await started();
    expect(await code("alice", start("decision"))).toBe("RATE_LIMITED");
    const sent = ["p1", "p2", "p3"].map((messageId) => proposal(id, { messageId }));
    const codes = [];
    for (const envelope of sent) codes.push(await code("alice", envelope));
    expect(codes).toEqual(["ok", "ok", "RATE_LIMITED"]);
    expect(await code("bob", proposal(id, { messageId: "p4" }))).toBe("ok");
    clock += 60_200;
    expect(await code("alice", start("decision"))).toBe("ok");
  });

  test("a stream ends with RESOURCE_EXHAUSTED when its sender is too fast", async () => {
    runtime = createRuntime({ auth: { tokens }, limits: { messagesPerMinute: 1 } });
    onTestFinished(async () => runtime.close());
    calls = runtime.connect().calls;
    const begin = start("decision");
    const stream = calls.streamSession(by("alice"));
    const { next, status } = reader(stream);
    await stream.send(frame(begin));
    await next();
    for (const messageId of ["p1", "p2"])
      await stream.send(frame(proposal(begin.sessionId, { messageId })));
    expect(idOf(await next())).toBe("p1");
    expect(await status()).toBe(grpcStatus.RESOURCE_EXHAUSTED);
  });

  test("a reader that does not read loses its stream, and can take up where it was", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const id = await started();
    const stream = calls.streamSession(by("observer"));
    const { next, status } = reader(stream);
    await stream.send(subscribe(id));
    await next();
    const sent = Array.from({ length: 400 }, (_, n) => `p${n}`);
    for (const messageId of sent)
      expect(await code("alice", proposal(id, { messageId }))).toBe("ok");
    vi.advanceTimersByTime(2_000);
    const read: (string | undefined)[] = [];
    const over = await (async () => {
      for (;;) {
        const message = await next().catch(() => undefined);
        if (message === undefined) return status();
        read.push(idOf(message));
      }
    })();
    expect(over).toBeUndefined();
    expect(read).toEqual(sent.slice(0, read.length));
    expect(read.length).toBeLessThan(sent.length);
    const resumed = calls.streamSession(by("observer"));
    await resumed.send(
      create(StreamSessionRequestSchema, {
        subscribeSessionId: id,
        afterSequence: BigInt(read.length + 1),
      }),
    );
    resumed.end();
    const rest: (string | undefined)[] = [];
    for await (const message of resumed) rest.push(idOf(message));
    expect([...read, ...rest]).toEqual(sent);
  });
});
