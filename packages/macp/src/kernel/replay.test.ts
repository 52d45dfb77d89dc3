import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { newSessionId } from "../protocol/ids.ts";
import { type ModeKey, modeKeys, modeTable } from "../protocol/mode-table.ts";
import type { PolicyInit } from "../policy/policy-registry.ts";
import { createKernel } from "./create-kernel.ts";
import type { Kernel, Outcome } from "./kernel.ts";
import { createBench, extension, startEnvelope } from "./kernel.test-kit.ts";
import { type Action, actions, cast, policies } from "./random-session.test-kit.ts";

/** Everything that can be known of a session. */
async function picture(kernel: Kernel, sessionId: string) {
  return {
    metadata: await kernel.get(sessionId),
    snapshot: await kernel.inspect(sessionId),
    history: kernel.history(sessionId),
  };
}

type Picture = Awaited<ReturnType<typeof picture>>;

/** Plays the actions on a session, and tells each outcome together with what was known before and after. */
async function play(key: ModeKey, init: PolicyInit, script: readonly Action[]) {
  const bench = createBench();
  bench.kernel.policies.register(init);
  const open = { participants: cast, policy: "policy.test", ttlMs: 20_000, maxSuspendMs: 8_000 };
  const session = await bench.open(key, open);
  const { sessionId } = session;
  const steps: { action: Action; outcome: Outcome; before: Picture; after: Picture }[] = [];
  for (const action of script) {
    if (action.kind === "wait") {
      bench.time.now += action.ms;
      continue;
    }
    // What is overdue expires with this look, not with the action.
    const before = await picture(bench.kernel, sessionId);
    const outcome =
      action.kind === "message"
        ? await session.raw(action.sender, action.type, action.payload, action.id)
        : await bench.kernel[action.kind](sessionId, { by: action.by, reason: "" });
    steps.push({ action, outcome, before, after: await picture(bench.kernel, sessionId) });
  }
  return { ...bench, sessionId, steps };
}

const settings = { numRuns: 150, endOnFailure: true };

describe.each(modeKeys)("%s", (key) => {
  test("replayed is what it was live", async () => {
    const property = fc.asyncProperty(policies(key), actions(key), async (init, script) => {
      const { kernel, store, time, sessionId } = await play(key, init, script);
      const again = createKernel({ store, clock: () => time.now });
      expect(again.restored).toMatchObject({ sessions: 1, failed: [] });
      expect(await picture(again, sessionId)).toEqual(await picture(kernel, sessionId));
    });
    await fc.assert(property, settings);
  });

  test("the scripts go somewhere", async () => {
    const samples = fc.sample(fc.tuple(policies(key), actions(key)), { seed: 1, numRuns: 300 });
    const reached = new Set<string>();
    for (const [init, script] of samples) {
      const { steps } = await play(key, init, script);
      for (const { after } of steps) reached.add(after.metadata?.state ?? "gone");
    }
    expect([...reached].toSorted()).toEqual([
      "Cancelled",
      "Expired",
      "Open",
      "Resolved",
      "Suspended",
    ]);
  });

  test("a refused message changes nothing, and an accepted one takes one place", async () => {
    const property = fc.asyncProperty(policies(key), actions(key), async (init, script) => {
      const { steps } = await play(key, init, script);
      const refused = steps.filter(({ outcome }) => !outcome.ok || outcome.duplicate);
      // But for a resumption that comes too late: it ends the session.
      const inert = refused.filter(({ outcome }) => outcome.ok || outcome.variant !== "TtlExpired");
      expect(inert.map(({ after }) => after)).toEqual(inert.map(({ before }) => before));
      const taken = steps.filter(({ outcome }) => outcome.ok && !outcome.duplicate);
      const places = taken.map(({ before, after }) => length(after) - length(before));
      expect(places).toEqual(taken.map(({ action }) => (action.kind === "message" ? 1 : 0)));
    });
    await fc.assert(property, settings);
  });
});

const length = ({ history }: Picture): number => history?.length ?? 0;

test("a session of an extension is replayed without the registry", async () => {
  const { kernel, store, time, send } = createBench();
  kernel.modes.register(extension());
  const sessionId = newSessionId();
  await kernel.send(startEnvelope("ext.poll.v1", { sessionId, versions: { mode: "" } }));
  const payload = Uint8Array.of(1);
  await send({ mode: "ext.poll.v1", sessionId, sender: "alice", messageType: "Answer", payload });
  const again = createKernel({ store, clock: () => time.now });
  expect(again.restored.failed).toEqual([]);
  expect(await picture(again, sessionId)).toEqual(await picture(kernel, sessionId));
});

test.each([
  ["has a hole", 2],
  ["has an entry twice", 0],
])("a log that %s keeps its session closed", async (_, index) => {
  const { store, time, open } = createBench();
  const { sessionId } = await open("decision");
  const place = { sessionId, index, receivedAtMs: time.now, ends: false };
  const payload = new Uint8Array();
  store.append({ ...place, kind: "internal", messageType: "SessionSuspend", payload }, () => {});
  const { restored } = createKernel({ store, clock: () => time.now });
  expect(restored.failed).toEqual([{ sessionId, reason: "entry 1 is missing" }]);
});

test("a log that does not fit its rules keeps its session closed, and others open", async () => {
  const { store, time, open } = createBench();
  const [broken, whole] = [await open("decision"), await open("decision")];
  const [start] = store.read(broken.sessionId);
  if (start?.kind !== "incoming") throw new Error("no start");
  const envelope = {
    ...start.envelope,
    messageType: "Vote",
    messageId: "forged",
    sender: "mallory",
  };
  const place = { sessionId: broken.sessionId, receivedAtMs: time.now, ends: false };
  store.append({ ...place, kind: "incoming", index: 1, ordinal: 2, envelope }, () => {});

  const kernel = createKernel({ store, clock: () => time.now });
  expect(kernel.restored).toMatchObject({
    sessions: 1,
    mismatches: 1,
    failed: [{ sessionId: broken.sessionId, reason: "message 2 is refused: Forbidden" }],
  });
  expect(await kernel.get(broken.sessionId)).toBeUndefined();
  const { mode } = modeTable.decision;
  expect(await kernel.send(startEnvelope(mode, { sessionId: broken.sessionId }))).toMatchObject({
    variant: "StorageFailed",
  });
  const vote = { ...envelope, messageId: "m9", sender: "alice" };
  expect(await kernel.send(vote)).toMatchObject({ variant: "StorageFailed" });
  const request = { by: "coordinator", reason: "" };
  expect(await kernel.cancel(broken.sessionId, request)).toMatchObject({
    variant: "StorageFailed",
  });
  expect(await kernel.get(whole.sessionId)).toMatchObject({ state: "Open" });
});
