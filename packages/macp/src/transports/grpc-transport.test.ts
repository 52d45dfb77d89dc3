import { create } from "@bufbuild/protobuf";
import { AgentKeysError } from "@agentkeys/contract";
import { expect, onTestFinished, test } from "vitest";
import type { Transport } from "../client/transport.ts";
import {
  GetSessionRequestSchema,
  GetSessionResponseSchema,
  ListModesRequestSchema,
  ListModesResponseSchema,
  SendRequestSchema,
  SendResponseSchema,
  StreamSessionRequestSchema,
  StreamSessionResponseSchema,
  WatchSignalsRequestSchema,
  WatchSignalsResponseSchema,
} from "../generated/macp/v1/core_pb.ts";
import { bearer } from "../protocol/auth.ts";
import { toEnvelope } from "../protocol/envelope.ts";
import { grpcStatus } from "../protocol/error-codes.ts";
import { refusalOf, statusOf } from "../protocol/refusal.ts";
import { deferred, failure, type Script, scriptedRuntime } from "./grpc-server.test-kit.ts";
import { createGrpcTransport } from "./grpc-transport.ts";

function used<T extends AsyncDisposable>(resource: T): T {
  onTestFinished(async () => resource[Symbol.asyncDispose]());
  return resource;
}

async function connected(script: Script): Promise<Transport> {
  const server = used(await scriptedRuntime(script));
  const transport = createGrpcTransport({ target: server.target, allowInsecure: true });
  onTestFinished(async () => transport.close());
  return transport;
}

const signal = (payload: Uint8Array) =>
  create(WatchSignalsResponseSchema, { envelope: toEnvelope({ messageType: "Signal", payload }) });
const watch = create(WatchSignalsRequestSchema);
const caught = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.fail("resolved"),
    (error: unknown) => error,
  );

test("a message arrives byte for byte, with the credential beside it", async () => {
  const seen: unknown[] = [];
  const { calls } = await connected({
    send: (call, answer) => {
      seen.push(call.metadata.get("authorization"), call.request.envelope);
      answer(null, create(SendResponseSchema, { ack: { ok: true, acceptedAtUnixMs: 2n ** 60n } }));
    },
  });
  const envelope = toEnvelope({
    messageType: "Vote",
    mode: "m",
    sessionId: "s",
    timestampMs: 1_900_000_000_123,
    payload: Uint8Array.of(0, 255, 10, 13, 128),
  });
  const request = create(SendRequestSchema, { envelope });
  const { ack } = await calls.send(request, { auth: bearer("token-1") });
  expect(ack?.acceptedAtUnixMs).toBe(2n ** 60n);
  expect(seen).toEqual([["Bearer token-1"], envelope]);
});

test("without a credential no authorization header is sent", async () => {
  const seen: unknown[] = [];
  const { calls } = await connected({
    listModes: (call, answer) => {
      seen.push(call.metadata.get("authorization"));
      answer(null, { $typeName: "macp.v1.ListModesResponse", modes: [] });
    },
  });
  await calls.listModes(create(ListModesRequestSchema), {});
  expect(seen).toEqual([[]]);
});

test("a status keeps its number, its text and the reasons of its trailer", async () => {
  const { calls } = await connected({
    getSession: (_, answer) =>
      answer(failure(grpcStatus.FAILED_PRECONDITION, "PolicyDenied", ["no votes"])),
  });
  const error = await caught(calls.getSession(create(GetSessionRequestSchema), {}));
  expect(AgentKeysError.is(error, "permission_denied")).toBe(true);
  expect(statusOf(error)).toBe(grpcStatus.FAILED_PRECONDITION);
  expect(refusalOf(error)).toMatchObject({
    code: "POLICY_DENIED",
    message: "PolicyDenied",
    reasons: ["no votes"],
  });
});

test("a method that the runtime lacks is method_not_found", async () => {
  const { calls } = await connected({});
  const error = await caught(calls.listModes(create(ListModesRequestSchema), {}));
  expect(AgentKeysError.is(error, "method_not_found")).toBe(true);
});

test("a late answer and no runtime at all are authority_unavailable", async () => {
  const { calls } = await connected({ getSession: () => {} });
  const late = await caught(calls.getSession(create(GetSessionRequestSchema), { timeoutMs: 20 }));
  expect([AgentKeysError.is(late, "authority_unavailable"), statusOf(late)]).toEqual([
    true,
    grpcStatus.DEADLINE_EXCEEDED,
  ]);
  const nowhere = createGrpcTransport({ target: "127.0.0.1:1", allowInsecure: true });
  const gone = await caught(nowhere.calls.listModes(create(ListModesRequestSchema), {}));
  expect([AgentKeysError.is(gone, "authority_unavailable"), statusOf(gone)]).toEqual([
    true,
    grpcStatus.UNAVAILABLE,
  ]);
  await nowhere.close();
});

test("channel settings reach the connection: an answer over maxReceiveBytes is refused", async () => {
  const server = used(
    await scriptedRuntime({
      listModes: (_, answer) =>
        answer(
          null,
          create(ListModesResponseSchema, { modes: [{ description: "x".repeat(200) }] }),
        ),
    }),
  );
  const { target } = server;
  const channel = { maxReceiveBytes: 100, keepaliveMs: 60_000, keepaliveTimeoutMs: 1000 };
  const transport = createGrpcTransport({ target, allowInsecure: true, channel });
  onTestFinished(async () => transport.close());
  const error = await caught(transport.calls.listModes(create(ListModesRequestSchema), {}));
  expect(AgentKeysError.is(error, "payload_too_large")).toBe(true);
});

test("an abort rejects with the signal's reason and cancels the call at the runtime", async () => {
  const cancelled = deferred();
  const started = deferred();
  const { calls } = await connected({
    getSession: (call) => {
      call.on("cancelled", () => cancelled.resolve());
      started.resolve();
    },
  });
  const abort = new AbortController();
  const pending = caught(
    calls.getSession(create(GetSessionRequestSchema), { signal: abort.signal }),
  );
  await started.promise;
  const reason = new Error("enough");
  abort.abort(reason);
  expect(await pending).toBe(reason);
  await cancelled.promise;
  expect(
    await caught(calls.getSession(create(GetSessionRequestSchema), { signal: abort.signal })),
  ).toBe(reason);
});

test("a stream delivers what came before its failure, then fails", async () => {
  const { calls } = await connected({
    watchSignals: (call) => {
      for (const byte of [1, 2, 3]) call.write(signal(Uint8Array.of(byte)));
      call.emit("error", failure(grpcStatus.RESOURCE_EXHAUSTED, "lagged"));
    },
  });
  const seen: number[] = [];
  const error = await caught(
    (async () => {
      for await (const { envelope } of calls.watchSignals(watch, {}))
        seen.push(envelope?.payload[0] ?? 0);
    })(),
  );
  expect(seen).toEqual([1, 2, 3]);
  expect(statusOf(error)).toBe(grpcStatus.RESOURCE_EXHAUSTED);
});

test("leaving the loop ends the call at the runtime", async () => {
  const cancelled = deferred();
  const { calls } = await connected({
    watchSignals: (call) => {
      call.on("cancelled", () => cancelled.resolve());
      call.write(signal(Uint8Array.of(1)));
    },
  });
  for await (const _ of calls.watchSignals(watch, {})) break;
  await expect(cancelled.promise).resolves.toBeUndefined();
});

test("an aborted stream throws the signal's reason; a closed transport just ends it", async () => {
  const transport = await connected({
    watchSignals: (call) => void call.write(signal(Uint8Array.of(1))),
  });
  const abort = new AbortController();
  const reason = new Error("enough");
  const aborted = transport.calls.watchSignals(watch, { signal: abort.signal });
  const closed = transport.calls.watchSignals(watch, {});
  const read = async (messages: AsyncIterable<unknown>, then: () => void): Promise<number> => {
    let count = 0;
    for await (const _ of messages) {
      count++;
      then();
    }
    return count;
  };
  expect(await caught(read(aborted, () => abort.abort(reason)))).toBe(reason);
  expect(await read(closed, () => void transport.close())).toBe(1);
});

test("a reader that does not read makes the runtime wait", async () => {
  const payload = new Uint8Array(16_384);
  const total = 1000;
  let written = 0;
  const blocked = deferred<number>();
  const { calls } = await connected({
    watchSignals: (call) => {
      const fill = (): void => {
        while (written < total) {
          written++;
          if (!call.write(signal(payload))) {
            call.once("drain", fill);
            // Only what the windows and buffers of both ends hold has been taken.
            setTimeout((at: number) => at === written && blocked.resolve(written), 100, written);
            return;
          }
        }
        call.end();
      };
      fill();
    },
  });
  const messages = calls.watchSignals(watch, {})[Symbol.asyncIterator]();
  await messages.next();
  expect(await blocked.promise).toBeLessThan(total / 2);
  let read = 1;
  while (!(await messages.next()).done) read++;
  expect(read).toBe(total);
});

const frame = (messageId: string) =>
  create(StreamSessionRequestSchema, {
    envelope: toEnvelope({ messageType: "Vote", messageId, payload: new Uint8Array() }),
  });

test("a session stream carries both ways, errors among the envelopes, and ends when both have ended", async () => {
  const { calls } = await connected({
    streamSession: (call) => {
      call.on("data", ({ envelope }) => {
        if (envelope?.messageId === "bad") {
          const value = { code: "FORBIDDEN", message: "no" };
          call.write(
            create(StreamSessionResponseSchema, {
              response: {
                case: "error",
                value: {
                  $typeName: "macp.v1.MACPError",
                  sessionId: "",
                  messageId: "",
                  details: new Uint8Array(),
                  ...value,
                },
              },
            }),
          );
        } else if (envelope !== undefined) {
          call.write(
            create(StreamSessionResponseSchema, {
              response: { case: "envelope", value: envelope },
            }),
          );
        }
      });
      call.on("end", () => call.end());
    },
  });
  const stream = calls.streamSession({});
  await stream.send(frame("one"));
  await stream.send(frame("bad"));
  await stream.send(frame("two"));
  stream.end();
  const seen: string[] = [];
  for await (const { response } of stream) {
    if (response.case === "envelope") seen.push(response.value.messageId);
    if (response.case === "error") seen.push(response.value.code);
  }
  expect(seen).toEqual(["one", "FORBIDDEN", "two"]);
  expect(AgentKeysError.is(await caught(stream.send(frame("late"))), "authority_unavailable")).toBe(
    true,
  );
});

test("a session stream that is cancelled ends quietly; one that is refused throws", async () => {
  const { calls } = await connected({
    streamSession: (call) => {
      call.on("data", ({ subscribeSessionId }) => {
        if (subscribeSessionId === "unknown")
          call.emit("error", failure(grpcStatus.NOT_FOUND, "UnknownSession"));
      });
    },
  });
  const quiet = calls.streamSession({});
  await quiet.send(frame("one"));
  quiet.cancel();
  const seen: unknown[] = [];
  for await (const message of quiet) seen.push(message);
  expect(seen).toEqual([]);

  const refused = calls.streamSession({});
  await refused.send(create(StreamSessionRequestSchema, { subscribeSessionId: "unknown" }));
  const error = await caught(
    (async () => {
      for await (const message of refused) seen.push(message);
    })(),
  );
  expect(refusalOf(error)?.code).toBe("SESSION_NOT_FOUND");
  expect(statusOf(error)).toBe(grpcStatus.NOT_FOUND);
  expect(
    AgentKeysError.is(await caught(refused.send(frame("late"))), "authority_unavailable"),
  ).toBe(true);
});

test.each([
  [{ target: "http://127.0.0.1:50051" }],
  [{ target: "https://runtime.example" }],
  [{ allowInsecure: true, tls: {} }],
  [{ tls: { cert: "…" } }],
  [{ tls: { key: "…" } }],
])("%o is config_invalid", (options) => {
  let error: unknown;
  try {
    createGrpcTransport(options);
  } catch (thrown) {
    error = thrown;
  }
  expect(AgentKeysError.is(error, "config_invalid")).toBe(true);
});

test("without allowInsecure a plaintext runtime is not spoken to", async () => {
  let reached = false;
  const server = used(
    await scriptedRuntime({
      getSession: (_, answer) => {
        reached = true;
        answer(null, create(GetSessionResponseSchema));
      },
    }),
  );
  const transport = createGrpcTransport({
    target: server.target.replace("127.0.0.1", "localhost"),
  });
  const error = await caught(
    transport.calls.getSession(create(GetSessionRequestSchema), {
      auth: bearer("secret"),
      timeoutMs: 2000,
    }),
  );
  expect(AgentKeysError.is(error, "authority_unavailable")).toBe(true);
  expect(reached).toBe(false);
  await transport.close();
});
