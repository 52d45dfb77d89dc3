import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { AgentKeysError } from "@agentkeys/contract";
import { expect, onTestFinished, test } from "vitest";
import {
  GetSessionResponseSchema,
  ListSessionsResponseSchema,
  PromoteModeResponseSchema,
  RegisterExtModeResponseSchema,
  SendResponseSchema,
  SessionMetadataSchema,
} from "../generated/macp/v1/core_pb.ts";
import { AckSchema, MACPErrorSchema, SessionState } from "../generated/macp/v1/envelope_pb.ts";
import {
  GetPolicyResponseSchema,
  RegisterPolicyResponseSchema,
} from "../generated/macp/v1/policy_pb.ts";
import { bearer, devAgent } from "../protocol/auth.ts";
import { toEnvelope } from "../protocol/envelope.ts";
import { grpcStatus } from "../protocol/error-codes.ts";
import { decodeCorePayload } from "../protocol/payload.ts";
import { refusalOf } from "../protocol/refusal.ts";
import { failure, type Script, scriptedRuntime } from "../transports/grpc-server.test-kit.ts";
import { createGrpcTransport } from "../transports/grpc-transport.ts";
import { createMacpClient, type MacpClient } from "./client.ts";
import type { ClientSettings } from "./client-surface.ts";
import type { LogEntry } from "./log.ts";

function used<T extends AsyncDisposable>(resource: T): T {
  onTestFinished(async () => resource[Symbol.asyncDispose]());
  return resource;
}

const soon = { retries: 3, baseMs: 1, maxMs: 4 };

async function clientOf(script: Script, settings: ClientSettings = {}): Promise<MacpClient> {
  const { target } = used(await scriptedRuntime(script));
  const transport = createGrpcTransport({ target, allowInsecure: true });
  return used(createMacpClient({ transport, retry: soon, ...settings }));
}

const caught = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.fail("resolved"),
    (error: unknown) => error,
  );

const ack = (fields: MessageInitShape<typeof AckSchema>) =>
  create(SendResponseSchema, { ack: create(AckSchema, fields) });
const nack = (code: string, message = code, reasons?: string[]) => {
  const details = new TextEncoder().encode(reasons ? JSON.stringify({ reasons }) : "");
  return ack({
    messageId: "m1",
    sessionId: "s1",
    error: create(MACPErrorSchema, { code, message, details }),
  });
};
const vote = (sender = "") =>
  toEnvelope({
    messageType: "Vote",
    mode: "m",
    sessionId: "s1",
    messageId: "m1",
    sender,
    payload: new Uint8Array(),
  });

test("an accepted message resolves to a plain record", async () => {
  const client = await clientOf({
    send: (_, answer) =>
      answer(
        null,
        ack({
          ok: true,
          duplicate: true,
          messageId: "m1",
          sessionId: "s1",
          acceptedAtUnixMs: 1_900_000_000_123n,
          sessionState: SessionState.RESOLVED,
        }),
      ),
  });
  expect(await client.send(vote())).toEqual({
    duplicate: true,
    messageId: "m1",
    sessionId: "s1",
    acceptedAtMs: 1_900_000_000_123,
    state: "RESOLVED",
  });
});

test.each([
  ["INVALID_ENVELOPE", "InvalidPayload", "INVALID_ENVELOPE", "invalid_params"],
  ["SESSION_NOT_OPEN", "TtlExpired", "SESSION_NOT_OPEN", "conflict"],
  ["FORBIDDEN", "Forbidden", "FORBIDDEN", "forbidden"],
  ["UNAUTHENTICATED", "Unauthenticated", "UNAUTHENTICATED", "unauthorized"],
  ["PolicyDenied: no votes", "", "POLICY_DENIED", "permission_denied"],
  ["UnknownSession", "UnknownSession", "SESSION_NOT_FOUND", "not_found"],
  ["PAYLOAD_TOO_LARGE", "PayloadTooLarge", "PAYLOAD_TOO_LARGE", "payload_too_large"],
] as const)(
  "a nack %s (%s) is %s for programs and %s for AgentKeys",
  async (wire, message, code, agentKeys) => {
    const client = await clientOf({
      send: (_, answer) => answer(null, nack(wire, message, ["because"])),
    });
    const error = await caught(client.send(vote()));
    expect(AgentKeysError.is(error, agentKeys)).toBe(true);
    expect(refusalOf(error)).toEqual({
      code,
      message: message || wire,
      sessionId: "s1",
      messageId: "m1",
      reasons: ["because"],
      denials: [],
    });
  },
);

test("a code that is not in the registry is backend_error, and no refusal that a program could know", async () => {
  const client = await clientOf({ send: (_, answer) => answer(null, nack("SOMETHING_NEW")) });
  const error = await caught(client.send(vote()));
  expect(AgentKeysError.is(error, "backend_error")).toBe(true);
  expect(refusalOf(error)).toBeUndefined();
});

test("an answer without an ack, or a refusal without an error, is malformed", async () => {
  const empty = await clientOf({ send: (_, answer) => answer(null, create(SendResponseSchema)) });
  expect(AgentKeysError.is(await caught(empty.send(vote())), "authority_unavailable")).toBe(true);
  const bare = await clientOf({ send: (_, answer) => answer(null, ack({ ok: false })) });
  expect(AgentKeysError.is(await caught(bare.send(vote())), "authority_unavailable")).toBe(true);
});

test("a message in another's name never leaves; the call's own credential counts", async () => {
  const senders: unknown[] = [];
  const client = await clientOf(
    {
      send: (call, answer) => {
        senders.push([call.metadata.get("authorization")[0], call.request.envelope?.sender]);
        answer(null, ack({ ok: true }));
      },
    },
    { auth: devAgent("alice") },
  );
  const error = await caught(client.send(vote("bob")));
  expect(AgentKeysError.is(error, "actor_mismatch")).toBe(true);
  expect(
    AgentKeysError.is(
      await caught(client.send(vote("alice"), { auth: devAgent("bob") })),
      "actor_mismatch",
    ),
  ).toBe(true);
  await client.send(vote("alice"));
  await client.send(vote(""));
  await client.send(vote("bob"), { auth: devAgent("bob") });
  await client.send(vote("bob"), { auth: bearer("t") });
  expect(senders).toEqual([
    ["Bearer alice", "alice"],
    ["Bearer alice", ""],
    ["Bearer bob", "bob"],
    ["Bearer t", "bob"],
  ]);
});

test("what passes is sent again under the same message id, and the log tells no secret", async () => {
  const ids: unknown[] = [];
  const log: LogEntry[] = [];
  const client = await clientOf(
    {
      send: (call, answer) => {
        ids.push(call.request.envelope?.messageId);
        if (ids.length === 1) answer(null, nack("RATE_LIMITED"));
        else if (ids.length === 2) answer(failure(grpcStatus.UNAVAILABLE, "restarting"));
        else answer(null, ack({ ok: true }));
      },
    },
    { auth: bearer("hush-hush"), log: (entry) => log.push(entry) },
  );
  await client.send(vote());
  expect(ids).toEqual(["m1", "m1", "m1"]);
  expect(log.map(({ level, fields }) => [level, fields["name"], fields["code"]])).toEqual([
    ["warn", "send", "rate_limited"],
    ["warn", "send", "authority_unavailable"],
  ]);
  expect(JSON.stringify(log)).not.toContain("hush");
});

test("retries are bounded, and can be turned off", async () => {
  let count = 0;
  const limited: Script = {
    send: (_, answer) => {
      count++;
      answer(null, nack("RATE_LIMITED"));
    },
  };
  const client = await clientOf(limited);
  expect(refusalOf(await caught(client.send(vote())))?.code).toBe("RATE_LIMITED");
  expect(count).toBe(4);
  const once = await clientOf(limited, { retry: false });
  await caught(once.send(vote()));
  expect(count).toBe(5);
});

test.each([
  [grpcStatus.INVALID_ARGUMENT],
  [grpcStatus.UNAUTHENTICATED],
  [grpcStatus.PERMISSION_DENIED],
  [grpcStatus.NOT_FOUND],
  [grpcStatus.FAILED_PRECONDITION],
])("status %i is not tried again", async (status) => {
  let count = 0;
  const client = await clientOf({
    getSession: (_, answer) => {
      count++;
      answer(failure(status, "no"));
    },
  });
  await caught(client.getSession("s1"));
  expect(count).toBe(1);
});

test("a lost answer is not asked for again where the call may have been carried out", async () => {
  const calls: string[] = [];
  const lost =
    (name: string) => (_: unknown, answer: (error: ReturnType<typeof failure>) => void) => {
      calls.push(name);
      answer(failure(grpcStatus.UNAVAILABLE, "cut"));
    };
  const client = await clientOf({
    send: lost("send"),
    suspendSession: lost("suspend"),
    registerPolicy: lost("register"),
  });
  await caught(client.sendSignal({ type: "alert" }));
  await caught(client.sendProgress({ token: "t", progress: 1 }));
  await caught(client.suspendSession("s1", "lunch"));
  await caught(client.registerPolicy({ policyId: "p", mode: "*", rules: {} }));
  expect(calls).toEqual(["send", "send", "suspend", "register"]);
});

test("timeoutMs bounds a call with all its tries", async () => {
  let count = 0;
  const client = await clientOf(
    {
      getSession: (_, answer) => {
        count++;
        answer(failure(grpcStatus.UNAVAILABLE, "cut"));
      },
    },
    { retry: { retries: 1_000_000, baseMs: 1, maxMs: 10 }, timeoutMs: 100 },
  );
  await caught(client.getSession("s1"));
  expect(count).toBeGreaterThan(1);
  const silent = await clientOf({ getSession: () => {} }, { timeoutMs: 20 });
  expect(AgentKeysError.is(await caught(silent.getSession("s1")), "authority_unavailable")).toBe(
    true,
  );
});

test("an abort during the pause before a retry ends the call", async () => {
  const abort = new AbortController();
  const reason = new Error("enough");
  const client = await clientOf(
    { send: (_, answer) => answer(null, nack("RATE_LIMITED")) },
    {
      retry: { baseMs: 60_000, maxMs: 60_000 },
      timeoutMs: 600_000,
      log: () => abort.abort(reason),
    },
  );
  expect(await caught(client.send(vote(), { signal: abort.signal }))).toBe(reason);
});

test("sessions come as plain records, page by page", async () => {
  const asked: unknown[] = [];
  const metadata = (sessionId: string) =>
    create(SessionMetadataSchema, {
      sessionId,
      mode: "m",
      state: SessionState.SUSPENDED,
      startedAtUnixMs: 1n,
      expiresAtUnixMs: 2n,
      participantActivity: [{ participantId: "a", lastMessageAtUnixMs: 3n, messageCount: 4 }],
      policyVersion: "policy.default",
    });
  const client = await clientOf({
    listSessions: ({ request }, answer) => {
      asked.push([request.pageSize, request.pageToken]);
      const last = request.pageToken === "two";
      const sessions = [metadata(last ? "s3" : `s${asked.length}`)];
      answer(
        null,
        create(ListSessionsResponseSchema, {
          sessions,
          nextPageToken: last ? "" : asked.length === 1 ? "one" : "two",
        }),
      );
    },
    getSession: (_, answer) =>
      answer(null, create(GetSessionResponseSchema, { metadata: metadata("s9") })),
  });
  const ids: string[] = [];
  for await (const { sessionId } of client.listSessions({ pageSize: 1 })) ids.push(sessionId);
  expect(ids).toEqual(["s1", "s2", "s3"]);
  expect(asked).toEqual([
    [1, ""],
    [1, "one"],
    [1, "two"],
  ]);
  expect(await client.listSessionsPage({ pageToken: "two" })).toMatchObject({ nextPageToken: "" });
  expect(await client.getSession("s9")).toEqual({
    sessionId: "s9",
    mode: "m",
    state: "SUSPENDED",
    startedAtMs: 1,
    expiresAtMs: 2,
    initiator: "",
    participants: [],
    activity: [{ participant: "a", lastMessageAtMs: 3, messages: 4 }],
    versions: { mode: "", configuration: "", policy: "policy.default" },
    contextId: "",
    extensionKeys: [],
  });
});

test("a policy is written with schema version 2 and its rules as JSON; the runtime's refusals keep their text", async () => {
  const seen: unknown[] = [];
  let error = "";
  const client = await clientOf({
    registerPolicy: ({ request }, answer) => {
      const { rules, schemaVersion } = request.policyDescriptor ?? {};
      seen.push([rules, schemaVersion]);
      answer(null, create(RegisterPolicyResponseSchema, { ok: error === "", error }));
    },
    getPolicy: ({ request }, answer) =>
      answer(
        null,
        create(
          GetPolicyResponseSchema,
          request.policyId === "p" ? { policyDescriptor: { policyId: "p", rules: "{}" } } : {},
        ),
      ),
    registerExtMode: (_, answer) =>
      answer(null, create(RegisterExtModeResponseSchema, { ok: false, error: "mode is reserved" })),
  });
  await client.registerPolicy({
    policyId: "p",
    mode: "*",
    rules: { voting: { algorithm: "majority" } },
  });
  await client.registerPolicy({ policyId: "p", mode: "*", rules: "{}", schemaVersion: 3 });
  expect(seen).toEqual([
    ['{"voting":{"algorithm":"majority"}}', 2],
    ["{}", 3],
  ]);
  error = "policy p is already registered";
  const twice = await caught(client.registerPolicy({ policyId: "p", mode: "*", rules: {} }));
  expect([AgentKeysError.is(twice, "invalid_params"), (twice as Error).message]).toEqual([
    true,
    error,
  ]);
  error = "INVALID_POLICY_DEFINITION: threshold";
  const invalid = await caught(client.registerPolicy({ policyId: "p", mode: "*", rules: {} }));
  expect(refusalOf(invalid)?.code).toBe("INVALID_POLICY_DEFINITION");
  expect(await client.getPolicy("p")).toMatchObject({ policyId: "p", registeredAtMs: 0 });
  expect(AgentKeysError.is(await caught(client.getPolicy("q")), "authority_unavailable")).toBe(
    true,
  );
  expect((await caught(client.registerExtMode({ mode: "macp.mode.x" }))) as Error).toHaveProperty(
    "message",
    "mode is reserved",
  );
});

test("promoting resolves to the name that the mode has then", async () => {
  const asked: unknown[] = [];
  const client = await clientOf({
    promoteMode: ({ request: { mode, promotedModeName } }, answer) => {
      asked.push([mode, promotedModeName]);
      const ok = mode === "ext.a.v1";
      const answered = ok ? { ok, mode: promotedModeName || mode } : { ok, error: "reserved" };
      answer(null, create(PromoteModeResponseSchema, answered));
    },
  });
  expect(await client.promoteMode("ext.a.v1", "team.a.v1")).toBe("team.a.v1");
  expect(await client.promoteMode("ext.a.v1")).toBe("ext.a.v1");
  expect(await caught(client.promoteMode("ext.b.v1"))).toHaveProperty("message", "reserved");
  expect(asked).toEqual([
    ["ext.a.v1", "team.a.v1"],
    ["ext.a.v1", ""],
    ["ext.b.v1", ""],
  ]);
});

test("signals and progress have the shape that a runtime asks for", async () => {
  const sent: unknown[] = [];
  const client = await clientOf({
    send: ({ request: { envelope } }, answer) => {
      if (envelope === undefined) return answer(failure(3, "no envelope"));
      const { messageType, mode, sessionId, payload } = envelope;
      const { $typeName: _, ...fields } = decodeCorePayload(
        messageType as "Signal" | "Progress",
        payload,
      );
      sent.push([messageType, mode, sessionId, fields]);
      answer(null, ack({ ok: true, sessionState: SessionState.OPEN }));
    },
  });
  await client.sendSignal({ type: "alert", sessionId: "s1", confidence: 0.5 });
  await client.sendProgress({
    token: "t",
    progress: 1,
    total: 2,
    session: { id: "s1", mode: "m" },
  });
  await client.sendProgress({ token: "t", progress: 2 });
  const progress = { progressToken: "t", message: "", targetMessageId: "" };
  expect(sent).toEqual([
    [
      "Signal",
      "",
      "",
      { signalType: "alert", data: new Uint8Array(), confidence: 0.5, correlationSessionId: "s1" },
    ],
    ["Progress", "m", "s1", { ...progress, progress: 1, total: 2 }],
    ["Progress", "", "", { ...progress, progress: 2, total: 0 }],
  ]);
});

test("a client needs a runtime or a transport", () => {
  const nothing = {} as Parameters<typeof createMacpClient>[0];
  let error: unknown;
  try {
    createMacpClient(nothing);
  } catch (thrown) {
    error = thrown;
  }
  expect(AgentKeysError.is(error, "config_invalid")).toBe(true);
});

test("a closed client makes no further call", async () => {
  const client = await clientOf({
    getSession: (_, answer) => answer(null, create(GetSessionResponseSchema)),
  });
  await client.close();
  expect(AgentKeysError.is(await caught(client.getSession("s1")), "authority_unavailable")).toBe(
    true,
  );
});
