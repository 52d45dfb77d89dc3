import { describe, expect, test } from "vitest";
import { newSessionId } from "../protocol/ids.ts";
import {
  createBench,
  epoch,
  type OpenInit,
  policy,
  short,
  startEnvelope,
} from "./kernel.test-kit.ts";

const mode = "macp.mode.decision.v1";
const start = async (init: OpenInit) => (await createBench().open("decision", init)).started;

test("a session is bound to what it was started with", async () => {
  const { kernel, open } = createBench();
  const { sessionId } = await open("decision", {
    intent: "",
    context: { id: "ctx", extensions: { b: Uint8Array.of(1), a: Uint8Array.of() } },
  });
  expect(await kernel.get(sessionId)).toEqual({
    sessionId,
    mode,
    state: "Open",
    startedAtMs: epoch,
    expiresAtMs: BigInt(epoch + 60_000),
    modeVersion: "1.0.0",
    configurationVersion: "config.default",
    policyVersion: "policy.default",
    participants: ["coordinator", "alice", "bob", "carol"],
    participantActivity: [],
    initiator: "coordinator",
    contextId: "ctx",
    extensionKeys: ["a", "b"],
  });
});

describe("session ids", () => {
  test.each([
    ["f47ac10b-58cc-4372-a567-0e02b2c3d479", "ok"],
    ["01890a5d-ac96-774b-bcce-b302099a8057", "ok"],
    ["F47AC10B-58CC-4372-A567-0E02B2C3D479", "InvalidSessionId"],
    ["f47ac10b-58cc-1372-a567-0e02b2c3d479", "InvalidSessionId"],
    ["f47ac10b-58cc-4372-c567-0e02b2c3d479", "ok"],
    ["abcdefghij_klmnopqrst-", "ok"],
    ["abcdefghij_klmnopqrst", "InvalidSessionId"],
    ["abcdefghij klmnopqrstuvw", "InvalidSessionId"],
    ["../../../../etc/passwd/xx", "InvalidSessionId"],
    ["x".repeat(300), "ok"],
  ])("%s: %s", async (sessionId, expected) => {
    expect(await start({ sessionId })).toBe(expected);
  });
});

describe("times", () => {
  test.each([
    [0, "InvalidTtl"],
    [-5, "InvalidTtl"],
    [1, "ok"],
    [86_400_000, "ok"],
    [86_400_001, "InvalidTtl"],
  ])("a ttl of %d", async (ttlMs, expected) => expect(await start({ ttlMs })).toBe(expected));

  test("a negative limit of suspension", async () => {
    expect(await start({ maxSuspendMs: -1 })).toBe("InvalidPayload");
  });

  test.each([
    [1_000_000_000_000, 1_000_000_060_000n],
    [0, BigInt(epoch + 60_000)],
    [-5, BigInt(epoch + 60_000)],
  ])("the deadline counts from the client's clock %d", async (timestampMs, expected) => {
    const { kernel, open } = createBench();
    const { sessionId } = await open("decision", { envelope: { timestampMs } });
    expect((await kernel.list())[0]?.sessionId).toBe(sessionId);
    expect((await kernel.get(sessionId))?.expiresAtMs).toBe(expected);
  });

  test("the deadline stops at the end of int64", async () => {
    const { kernel } = createBench();
    const sessionId = newSessionId();
    const envelope = { ...startEnvelope(mode, { sessionId }), timestampUnixMs: 2n ** 63n - 1n };
    await kernel.send(envelope);
    expect((await kernel.get(sessionId))?.expiresAtMs).toBe(2n ** 63n - 1n);
  });
});

describe("participants", () => {
  const many = (n: number) => Array.from({ length: n }, (_, i) => `agent-${i}`);
  test.each<[string, string[], string]>([
    ["none", [], "InvalidPayload"],
    ["1000", many(1000), "ok"],
    ["1001", many(1001), "InvalidPayload"],
    ["a blank one", ["alice", " "], "InvalidPayload"],
    ["the same twice", ["alice", "alice"], "InvalidPayload"],
    ["the same but for a space", ["alice", " alice"], "InvalidPayload"],
  ])("%s", async (_, participants, expected) =>
    expect(await start({ participants })).toBe(expected),
  );

  test("are stored as they were sent", async () => {
    const { kernel, open } = createBench();
    const { sessionId, say } = await open("decision", { participants: [" alice "] });
    expect((await kernel.get(sessionId))?.participants).toEqual([" alice "]);
    const proposal = { proposalId: "p", option: "o" };
    expect(await say("alice", "Proposal", proposal)).toBe("Forbidden");
    expect(await say(" alice ", "Proposal", proposal)).toBe("ok");
  });
});

describe("versions", () => {
  test.each<[OpenInit["versions"], string]>([
    [{ mode: "" }, "InvalidPayload"],
    [{ configuration: " " }, "InvalidPayload"],
    [{ mode: "1.0.1" }, "InvalidEnvelope"],
    [{ configuration: "anything" }, "ok"],
  ])("%o", async (versions, expected) =>
    expect(await start({ versions: { ...versions } })).toBe(expected),
  );
});

test("what is wrong with the deadline is said before what is wrong with the version", async () => {
  expect(await start({ ttlMs: 0, versions: { mode: "9" } })).toBe("InvalidTtl");
});

test("a blank mode", async () => {
  const { kernel } = createBench();
  const outcome = await kernel.send(startEnvelope(" ", { sessionId: newSessionId() }));
  expect(outcome).toMatchObject({ variant: "InvalidEnvelope" });
});

test("an unknown mode", async () => {
  const { kernel } = createBench();
  const outcome = await kernel.send(
    startEnvelope("macp.mode.chess.v1", { sessionId: newSessionId() }),
  );
  expect(outcome).toMatchObject({ variant: "UnknownMode", code: "MODE_NOT_SUPPORTED" });
});

test.each([
  ["empty", new Uint8Array()],
  ["no protobuf", Uint8Array.of(0xff, 0xff, 0xff)],
])("a payload that is %s", async (_, payload) => {
  expect(await start({ envelope: { payload } })).toBe("InvalidPayload");
});

describe("policies", () => {
  const startUnder = async (mode_: string, policyId = "policy.test") => {
    const bench = createBench();
    bench.kernel.policies.register(policy({ mode: mode_ }));
    const session = await bench.open("decision", { policy: policyId });
    return { ...bench, ...session };
  };
  test.each([
    ["*", "ok"],
    [mode, "ok"],
    ["macp.mode.task.v1", "InvalidPolicyDefinition"],
  ])("one for %s", async (mode_, expected) => {
    expect((await startUnder(mode_)).started).toBe(expected);
  });
  test("an unknown one", async () => {
    expect((await startUnder("*", "policy.none")).started).toBe("UnknownPolicyVersion");
  });
  test("a session keeps its policy when it is unregistered and registered anew", async () => {
    const bench = createBench();
    bench.kernel.policies.register(
      policy({ rules: { commitment: { authority: "any_participant" } } }),
    );
    const { say, commit } = await bench.open("decision", { policy: "policy.test" });
    bench.kernel.policies.unregister("policy.test");
    bench.kernel.policies.register(policy({ rules: {} }));
    await say("alice", "Proposal", { proposalId: "p", option: "o" });
    expect(await commit("alice", "done")).toBe("ok Resolved");
  });
});

describe("an id that is taken", () => {
  test("is refused, whatever would be wrong with the session itself", async () => {
    const { kernel, open } = createBench();
    const { sessionId } = await open("decision");
    const again = async (init: OpenInit) =>
      short(await kernel.send(startEnvelope(mode, { sessionId, ...init })));
    expect(await again({})).toBe("SessionAlreadyExists");
    expect(await again({ policy: "policy.none" })).toBe("SessionAlreadyExists");
    expect(await again({ ttlMs: 0 })).toBe("InvalidTtl");
    expect(await again({ envelope: { payload: new Uint8Array() } })).toBe("InvalidPayload");
  });
  test("is a duplicate under the same message id", async () => {
    const { kernel } = createBench();
    const envelope = startEnvelope(mode, { sessionId: newSessionId() });
    expect(short(await kernel.send(envelope))).toBe("ok");
    expect(short(await kernel.send(envelope))).toBe("duplicate");
    const other = { sessionId: envelope.sessionId, initiator: "mallory", ttlMs: 5 };
    const { messageId } = envelope;
    expect(
      short(await kernel.send(startEnvelope(mode, { ...other, envelope: { messageId } }))),
    ).toBe("duplicate");
    expect(kernel.history(envelope.sessionId)).toHaveLength(1);
  });
  test("becomes free when the start is refused", async () => {
    const { kernel } = createBench();
    const sessionId = newSessionId();
    expect(short(await kernel.send(startEnvelope(mode, { sessionId, participants: [] })))).toBe(
      "InvalidPayload",
    );
    expect(await kernel.get(sessionId)).toBeUndefined();
    expect(short(await kernel.send(startEnvelope(mode, { sessionId })))).toBe("ok");
  });
});

describe("open sessions of one initiator", () => {
  const rights = { maxOpenSessions: 2 };

  test("are limited, those of others do not count", async () => {
    const { open } = createBench();
    expect((await open("decision", { rights })).started).toBe("ok");
    expect((await open("decision", { rights, initiator: "alice" })).started).toBe("ok");
    const second = await open("decision", { rights });
    expect((await open("decision", { rights })).started).toBe("RateLimited");
    expect((await open("decision")).started).toBe("ok");
    await second.say("alice", "Proposal", { proposalId: "p", option: "o" });
    await second.commit("coordinator", "done");
    expect((await open("decision", { rights })).started).toBe("RateLimited");
  });

  test("count while they are open: not suspended, not past their deadline", async () => {
    const { kernel, open, time } = createBench();
    const first = await open("decision", { rights });
    await open("decision", { rights, ttlMs: 10 });
    expect((await open("decision", { rights })).started).toBe("RateLimited");
    time.now += 10;
    expect((await open("decision", { rights })).started).toBe("RateLimited");
    time.now += 1;
    expect((await open("decision", { rights })).started).toBe("ok");
    expect((await open("decision", { rights })).started).toBe("RateLimited");
    await kernel.suspend(first.sessionId, { by: "coordinator", reason: "" });
    expect((await open("decision", { rights })).started).toBe("ok");
  });
});
