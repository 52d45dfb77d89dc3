import { describe, expect, test } from "vitest";
import { toBinary } from "@bufbuild/protobuf";
import { CommitmentPayloadSchema } from "../generated/macp/v1/core_pb.ts";
import { createBench, extension, startEnvelope } from "../kernel/kernel.test-kit.ts";
import { toCommitment } from "../protocol/commitment.ts";
import { newSessionId } from "../protocol/ids.ts";
import { createModeRegistry } from "./mode-registry.ts";

const standard = ["decision", "proposal", "task", "handoff", "quorum"].map(
  (name) => `macp.mode.${name}.v1`,
);
const refusal = (text: string) => ({ ok: false, error: expect.stringContaining(text) });
const modesOf = (descriptors: readonly { mode: string }[]) => descriptors.map(({ mode }) => mode);

test("five standard modes, one extension", () => {
  const registry = createModeRegistry();
  expect(modesOf(registry.standard())).toEqual(standard);
  expect(modesOf(registry.extensions())).toEqual(["ext.multi_round.v1"]);
  expect(registry.names()).toEqual(["ext.multi_round.v1", ...standard.toSorted()]);
  expect(registry.get("macp.mode.task.v1")?.descriptor).toMatchObject({
    modeVersion: "1.0.0",
    participantModel: "orchestrated",
    determinismClass: "structural-only",
    terminalMessageTypes: ["Commitment"],
  });
  expect(registry.get("macp.mode.task.v1")?.descriptor.messageTypes).toContain("SessionStart");
});

describe("registration", () => {
  test("adds an extension, once, and removes it", () => {
    const registry = createModeRegistry();
    expect(registry.register(extension())).toEqual({ ok: true });
    expect(registry.register(extension())).toEqual(refusal("already registered"));
    expect(modesOf(registry.extensions())).toEqual(["ext.multi_round.v1", "ext.poll.v1"]);
    expect(registry.unregister("ext.poll.v1")).toEqual({ ok: true });
    expect(registry.unregister("ext.poll.v1")).toEqual(refusal("not found"));
    expect(registry.get("ext.poll.v1")).toBeUndefined();
  });
  test.each([
    ["no name", { mode: " " }, "must not be empty"],
    ["a reserved name", { mode: "macp.mode.poll.v1" }, "reserved"],
    ["no version", { modeVersion: "" }, "mode_version"],
    ["no messages", { messageTypes: [] }, "Commitment"],
    ["no Commitment", { messageTypes: ["Answer"] }, "Commitment"],
    ["no end", { terminalMessageTypes: [] }, "terminal_message_types"],
    ["another end", { terminalMessageTypes: ["Answer"] }, "terminal_message_types"],
    ["two ends", { terminalMessageTypes: ["Commitment", "Answer"] }, "terminal_message_types"],
    ["a built-in name", { mode: "ext.multi_round.v1" }, "already registered"],
  ])("refuses %s", (_, init, text) => {
    const registry = createModeRegistry();
    expect(registry.register(extension(init))).toEqual(refusal(text));
    expect(registry.names()).toHaveLength(6);
  });
  test("takes a name without the ext. prefix", () => {
    expect(createModeRegistry().register(extension({ mode: "poll" }))).toEqual({ ok: true });
  });
  test("built-in modes stay", () => {
    const registry = createModeRegistry();
    expect(registry.unregister("ext.multi_round.v1")).toEqual(refusal("built-in"));
    expect(registry.unregister("macp.mode.decision.v1")).toEqual(refusal("built-in"));
    expect(registry.names()).toHaveLength(6);
  });
});

describe("promotion", () => {
  test("makes an extension standard, under another name if one is given", () => {
    const registry = createModeRegistry();
    registry.register(extension());
    expect(registry.promote("ext.poll.v1", "poll.v1")).toEqual({ ok: true, mode: "poll.v1" });
    expect(modesOf(registry.standard())).toEqual([...standard, "poll.v1"]);
    expect(registry.get("ext.poll.v1")).toBeUndefined();
    expect(registry.get("poll.v1")).toMatchObject({
      strict: true,
      descriptor: { mode: "poll.v1" },
    });
    expect(registry.unregister("poll.v1")).toEqual(refusal("standards-track"));
  });
  test("keeps the name where none is given", () => {
    const registry = createModeRegistry();
    registry.register(extension());
    expect(registry.promote("ext.poll.v1", "")).toEqual({ ok: true, mode: "ext.poll.v1" });
    expect(registry.extensions()).toHaveLength(1);
  });
  test.each([
    ["into the reserved namespace", "ext.poll.v1", "macp.mode.poll.v1", "reserved"],
    ["onto another mode", "ext.poll.v1", "ext.multi_round.v1", "already exists"],
    ["of an unknown mode", "ext.nothing.v1", "nothing", "not found"],
    ["of a standard mode", "macp.mode.task.v1", "task", "already standards-track"],
  ])("refuses a promotion %s", (_, mode, name, text) => {
    const registry = createModeRegistry();
    registry.register(extension());
    expect(registry.promote(mode, name)).toMatchObject(refusal(text));
    expect(modesOf(registry.standard())).toEqual(standard);
  });
});

test("who watches is told of each change and of nothing else", () => {
  const registry = createModeRegistry();
  let changes = 0;
  registry.watch(() => (changes += 1));
  registry.register(extension());
  registry.register(extension());
  registry.promote("ext.poll.v1", "poll.v1");
  registry.unregister("poll.v1");
  expect(changes).toBe(2);
  registry.register(extension());
  registry.unregister("ext.poll.v1");
  expect(changes).toBe(4);
});

describe("a session of an extension", () => {
  async function polling(init: object = { versions: { mode: "" } }) {
    const bench = createBench();
    bench.kernel.modes.register(extension());
    const sessionId = newSessionId();
    const started = await bench.kernel.send(startEnvelope("ext.poll.v1", { sessionId, ...init }));
    const say = (sender: string, messageType: string, payload = new Uint8Array()) =>
      bench.send({ mode: "ext.poll.v1", sessionId, sender, messageType, payload });
    const commit = (sender: string, version = "2.0.0") => {
      const versions = { mode: version };
      const init_ = {
        action: "poll.closed",
        authorityScope: "s",
        reason: "r",
        commitmentId: "c1",
        versions,
      };
      return say(sender, "Commitment", toBinary(CommitmentPayloadSchema, toCommitment(init_)));
    };
    return { ...bench, sessionId, started, say, commit };
  }

  test("carries the messages that the descriptor lists, and keeps the last one as its state", async () => {
    const { kernel, sessionId, say } = await polling();
    expect(await say("alice", "Answer", Uint8Array.of(1, 2))).toMatchObject({ ok: true });
    expect((await kernel.inspect(sessionId))?.modeState).toEqual([1, 2]);
    expect(await say("alice", "Vote")).toMatchObject({ variant: "InvalidPayload" });
    expect(await say("mallory", "Answer")).toMatchObject({ variant: "Forbidden" });
  });

  test("binds the descriptor's version where it names none, and ends with the initiator's commitment", async () => {
    const { kernel, sessionId, commit } = await polling();
    expect(await kernel.get(sessionId)).toMatchObject({ modeVersion: "2.0.0" });
    expect(await commit("alice")).toMatchObject({ variant: "Forbidden" });
    expect(await commit("coordinator", "")).toMatchObject({ variant: "InvalidPayload" });
    expect(await commit("coordinator")).toMatchObject({ ok: true, state: "Resolved" });
    const resolution = (await kernel.inspect(sessionId))?.resolution;
    expect(JSON.parse(new TextDecoder().decode(resolution))).toEqual({
      action: "poll.closed",
      commitment_id: "c1",
    });
  });

  test("is anybody's where it names no participants", async () => {
    const { started, say } = await polling({
      participants: [],
      versions: { mode: "", configuration: "" },
    });
    expect(started).toMatchObject({ ok: true });
    expect(await say("whoever", "Answer")).toMatchObject({ ok: true });
    expect(await say("whoever", "Progress")).toMatchObject({ ok: true });
  });

  test("still needs a deadline and the right version", async () => {
    expect((await polling({ ttlMs: 0, versions: { mode: "" } })).started).toMatchObject({
      variant: "InvalidTtl",
    });
    expect((await polling()).started).toMatchObject({ ok: true });
    expect((await polling({ versions: { mode: "1.0.0" } })).started).toMatchObject({
      variant: "InvalidEnvelope",
    });
  });

  test("is started strictly once the mode is promoted", async () => {
    const { kernel } = await polling();
    kernel.modes.promote("ext.poll.v1", "poll.v1");
    const start = { sessionId: newSessionId(), participants: [], versions: { mode: "2.0.0" } };
    expect(await kernel.send(startEnvelope("poll.v1", start))).toMatchObject({
      variant: "InvalidPayload",
    });
    expect(await kernel.send(startEnvelope("ext.poll.v1", start))).toMatchObject({
      variant: "UnknownMode",
    });
  });

  test("goes on when the mode is unregistered", async () => {
    const { kernel, say } = await polling();
    kernel.modes.unregister("ext.poll.v1");
    expect(await say("alice", "Answer")).toMatchObject({ ok: true });
  });
});
