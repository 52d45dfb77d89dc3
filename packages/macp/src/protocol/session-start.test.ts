import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { SessionStartPayloadSchema } from "../generated/macp/v1/core_pb.ts";
import { sessionStartProblem, type SessionStartInit, toSessionStart } from "./session-start.ts";

const init: SessionStartInit = { participants: ["alice", "bob"], ttlMs: 1000 };

test("a start has the defaults that every runtime takes", () => {
  const payload = toSessionStart(init);
  expect(payload).toEqual(
    create(SessionStartPayloadSchema, {
      participants: ["alice", "bob"],
      modeVersion: "1.0.0",
      configurationVersion: "config.default",
      ttlMs: 1000n,
    }),
  );
  expect(sessionStartProblem(payload)).toBeUndefined();
});

test("everything that a start may say is on the wire", () => {
  const extensions = { "x.trace": Uint8Array.of(1, 2) };
  const payload = toSessionStart({
    ...init,
    intent: "pick a plan",
    policy: "policy.team",
    maxSuspendMs: 60_000,
    roots: [{ uri: "file:///a" }, { uri: "file:///b", name: "b" }],
    context: { id: "c1", extensions },
    versions: { mode: "2.0.0", configuration: "config.team" },
  });
  expect(payload).toMatchObject({
    intent: "pick a plan",
    policyVersion: "policy.team",
    maxSuspendMs: 60_000n,
    roots: [
      { uri: "file:///a", name: "" },
      { uri: "file:///b", name: "b" },
    ],
    contextId: "c1",
    extensions,
    modeVersion: "2.0.0",
    configurationVersion: "config.team",
  });
});

const many = (count: number) => Array.from({ length: count }, (_, index) => `agent-${index}`);

test.each<[string, Partial<SessionStartInit>]>([
  ["no time", { ttlMs: 0 }],
  ["less than none", { ttlMs: -1 }],
  ["more than a day", { ttlMs: 86_400_001 }],
  ["a fraction", { ttlMs: 0.5 }],
  ["no number", { ttlMs: NaN }],
  ["endless", { ttlMs: Infinity }],
  ["negative suspension", { maxSuspendMs: -1 }],
  ["no number as suspension", { maxSuspendMs: NaN }],
  ["nobody", { participants: [] }],
  ["a blank name", { participants: ["alice", " "] }],
  ["a name twice", { participants: ["alice", "bob", "alice"] }],
  ["a name twice but for white space", { participants: ["alice", " alice"] }],
  ["too many", { participants: many(1001) }],
  ["no mode version", { versions: { mode: "" } }],
  ["no configuration", { versions: { configuration: " " } }],
])("%s is INVALID_ENVELOPE", (_, wrong) => {
  expect(sessionStartProblem(toSessionStart({ ...init, ...wrong }))?.code).toBe("INVALID_ENVELOPE");
});

test.each<[string, Partial<SessionStartInit>]>([
  ["a day", { ttlMs: 86_400_000 }],
  ["a millisecond", { ttlMs: 1 }],
  ["a thousand participants", { participants: many(1000) }],
])("%s is fine", (_, fine) => {
  expect(sessionStartProblem(toSessionStart({ ...init, ...fine }))).toBeUndefined();
});

test("a mode that was registered at run time may leave participants and versions out, never the time", () => {
  const bare = { participants: [], versions: { mode: "", configuration: "" } };
  const lenient = { strict: false };
  expect(sessionStartProblem(toSessionStart({ ...bare, ttlMs: 1 }), lenient)).toBeUndefined();
  expect(sessionStartProblem(toSessionStart({ ...bare, ttlMs: 0 }), lenient)?.code).toBe(
    "INVALID_ENVELOPE",
  );
});
