import { describe, expect, test } from "vitest";
import { fromBinary } from "@bufbuild/protobuf";
import { SessionResumePayloadSchema } from "../generated/macp/v1/core_pb.ts";
import { newSessionId } from "../protocol/ids.ts";
import { createBench, epoch, type OpenInit, policy, short } from "./kernel.test-kit.ts";

const proposal = { proposalId: "p1", option: "o" };

async function running(init: OpenInit = {}) {
  const bench = createBench();
  const events: string[] = [];
  bench.kernel.watchSessions(({ kind, session }) => events.push(`${kind} ${session.state}`));
  const session = await bench.open("decision", init);
  const { sessionId } = session;
  const control =
    (method: "cancel" | "suspend" | "resume") =>
    async (by = "coordinator") =>
      short(await bench.kernel[method](sessionId, { by, reason: "why" }));
  const [cancel, suspend, resume] = [control("cancel"), control("suspend"), control("resume")];
  const expiresAtMs = async () => Number((await bench.kernel.get(sessionId))?.expiresAtMs);
  return { ...bench, ...session, events, cancel, suspend, resume, expiresAtMs };
}

describe.each(["cancel", "suspend", "resume"] as const)("%s", (method) => {
  test("of an unknown session", async () => {
    const outcome = await createBench().kernel[method](newSessionId(), {
      by: "coordinator",
      reason: "",
    });
    expect(outcome).toMatchObject({ variant: "UnknownSession" });
  });
  test("by somebody else is forbidden, even at the end", async () => {
    const session = await running();
    expect(await session[method]("alice")).toBe("Forbidden");
    expect(await session[method]("mallory")).toBe("Forbidden");
    await session.cancel();
    expect(await session[method]("alice")).toBe("Forbidden");
  });
  test.each([
    ["any_participant", "alice", true],
    ["any_participant", "mallory", false],
    ["designated_role", "judge", true],
    ["designated_role", "alice", false],
    ["designated_role", "coordinator", true],
  ])("under %s by %s", async (authority, by, allowed) => {
    const bench = createBench();
    const commitment = { authority, designated_roles: ["judge"] };
    bench.kernel.policies.register(policy({ rules: { commitment } }));
    const { sessionId } = await bench.open("decision", { policy: "policy.test" });
    const outcome = short(await bench.kernel[method](sessionId, { by, reason: "" }));
    expect(outcome === "Forbidden").toBe(!allowed);
  });
});

describe("cancel", () => {
  test("ends an open session", async () => {
    const { cancel, say, state, events } = await running();
    expect(await cancel()).toBe("ok Cancelled");
    expect(await state()).toBe("Cancelled");
    expect(await say("alice", "Proposal", proposal)).toBe("SessionNotOpen");
    expect(events).toEqual(["CREATED Open", "CANCELLED Cancelled"]);
  });
  test("ends a suspended one", async () => {
    const { cancel, suspend } = await running();
    await suspend();
    expect(await cancel()).toBe("ok Cancelled");
  });
  test("of a session that is over answers with its state and does nothing", async () => {
    const { cancel, say, commit, events } = await running();
    await say("alice", "Proposal", proposal);
    await commit("coordinator", "done");
    expect(await cancel()).toBe("ok Resolved");
    expect(events).toEqual(["CREATED Open", "RESOLVED Resolved"]);
  });
  test("of an overdue session finds it expired", async () => {
    const { cancel, time, events } = await running({ ttlMs: 10 });
    time.now += 11;
    expect(await cancel()).toBe("ok Expired");
    expect(events).toEqual(["CREATED Open", "EXPIRED Expired"]);
  });
});

describe("suspend and resume", () => {
  test("stop the messages and start them again", async () => {
    const { suspend, resume, say, commit, state, events } = await running();
    expect(await suspend()).toBe("ok Suspended");
    expect(await state()).toBe("Suspended");
    expect(await say("alice", "Proposal", proposal)).toBe("SessionNotOpen");
    expect(await commit("coordinator", "done")).toBe("SessionNotOpen");
    expect(await resume()).toBe("ok");
    expect(await say("alice", "Proposal", proposal)).toBe("ok");
    expect(events).toEqual(["CREATED Open", "SUSPENDED Suspended", "RESUMED Open"]);
  });
  test("only from open, and only from suspended", async () => {
    const { suspend, resume, cancel } = await running();
    expect(await resume()).toBe("SessionNotOpen");
    await suspend();
    expect(await suspend()).toBe("SessionNotOpen");
    await cancel();
    expect(await suspend()).toBe("SessionNotOpen");
    expect(await resume()).toBe("SessionNotOpen");
  });
  test("of an overdue session", async () => {
    const { suspend, time, state } = await running({ ttlMs: 10 });
    time.now += 11;
    expect(await suspend()).toBe("SessionNotOpen");
    expect(await state()).toBe("Expired");
  });
  test("stop the clock", async () => {
    const { suspend, resume, time, expiresAtMs, say, kernel } = await running({ ttlMs: 100 });
    time.now += 40;
    await suspend();
    time.now += 1000;
    expect(kernel.sweep()).toBe(0);
    expect(await resume()).toBe("ok");
    expect(await expiresAtMs()).toBe(epoch + 1100);
    time.now += 60;
    expect(await say("alice", "Proposal", proposal)).toBe("ok");
    time.now += 1;
    expect(await say("bob", "Proposal", { ...proposal, proposalId: "p2" })).toBe("TtlExpired");
  });
  test("stop it again and again", async () => {
    const { suspend, resume, time, expiresAtMs } = await running({ ttlMs: 100 });
    for (let i = 0; i < 3; i++) {
      await suspend();
      time.now += 50;
      await resume();
    }
    expect(await expiresAtMs()).toBe(epoch + 250);
  });
  test("a clock that goes backwards gives no time", async () => {
    const { suspend, resume, time, expiresAtMs } = await running({ ttlMs: 100 });
    await suspend();
    time.now -= 50;
    expect(await resume()).toBe("ok");
    expect(await expiresAtMs()).toBe(epoch + 100);
  });
});

describe("too long a suspension", () => {
  const suspended = async (maxSuspendMs: number, ms: number) => {
    const session = await running({ maxSuspendMs });
    await session.suspend();
    session.time.now += ms;
    return session;
  };
  test("ends the session on resumption, over all suspensions together", async () => {
    const session = await suspended(100, 60);
    expect(await session.resume()).toBe("ok");
    await session.suspend();
    session.time.now += 41;
    expect(await session.resume()).toBe("TtlExpired");
    expect(await session.state()).toBe("Expired");
    expect(session.events.at(-1)).toBe("EXPIRED Expired");
  });
  test("ends it on any touch", async () => {
    for (const method of ["get", "sweep"] as const) {
      const { kernel, sessionId, events } = await suspended(100, 101);
      await kernel[method](sessionId);
      expect(events.at(-1)).toBe("EXPIRED Expired");
    }
    const { kernel, sessionId } = await suspended(100, 100);
    expect(await kernel.get(sessionId)).toMatchObject({ state: "Suspended" });
    const { cancel } = await suspended(100, 101);
    expect(await cancel()).toBe("ok Expired");
    const { say, state } = await suspended(100, 101);
    expect(await say("alice", "Proposal", proposal)).toBe("SessionNotOpen");
    expect(await state()).toBe("Expired");
  });
  test("the limit itself is fine, and 0 is a week", async () => {
    expect(await (await suspended(100, 100)).resume()).toBe("ok");
    expect(await (await suspended(0, 604_800_000)).resume()).toBe("ok");
    expect(await (await suspended(0, 604_800_001)).resume()).toBe("TtlExpired");
  });
});

test("what the runtime did is in the log, takes no ordinal and is not in the history", async () => {
  const { kernel, store, sessionId, suspend, resume, cancel, time, say } = await running();
  await suspend();
  time.now += 7;
  await resume();
  await say("alice", "Proposal", proposal);
  await cancel();
  const log = [...store.read(sessionId)].map((entry) =>
    entry.kind === "internal"
      ? entry.messageType
      : `${entry.ordinal} ${entry.envelope.messageType}`,
  );
  expect(log).toEqual([
    "1 SessionStart",
    "SessionSuspend",
    "SessionResume",
    "2 Proposal",
    "SessionCancel",
  ]);
  const resumed = [...store.read(sessionId)][2];
  expect(resumed?.kind).toBe("internal");
  const payload = resumed?.kind === "internal" ? resumed.payload : new Uint8Array();
  expect(fromBinary(SessionResumePayloadSchema, payload)).toMatchObject({
    reason: "why",
    resumedBy: "coordinator",
    bankedMs: 7n,
  });
  expect(kernel.history(sessionId)?.map(({ ordinal }) => ordinal)).toEqual([1, 2]);
});
