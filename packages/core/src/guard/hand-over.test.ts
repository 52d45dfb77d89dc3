import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Outcome } from "./guard-surface.ts";
import { type Decided, endOf, HandOvers } from "./hand-over.ts";
import { sealCall } from "./seal-call.ts";
import type { Wire } from "../transport/wire.ts";

let ended: string[];
let close: () => void;
let handOvers: HandOvers;

beforeEach(() => {
  vi.useFakeTimers();
  ended = [];
  const wire = {
    background: (task: Promise<unknown>) => void task,
    onClose: (hook: () => void) => (close = hook),
  };
  handOvers = new HandOvers(wire as unknown as Wire);
});

afterEach(() => {
  vi.useRealTimers();
});

const finish = async (decided: Decided | undefined, outcome: Outcome): Promise<void> => {
  if (decided !== undefined) await endOf(decided, outcome);
};

const sealed = (callId: string, signal?: AbortSignal) =>
  sealCall({ tool: "order_food", input: { dish: "noodles" }, callId, signal });

const end = (name: string): Decided => ({
  status: "begun",
  approval: undefined,
  end: async (outcome: Outcome) => void ended.push(`${name} ${outcome}`),
});

test("is for one use", async () => {
  const saw = handOvers.keep(sealed("k"), end("a"));
  const taken = handOvers.take(sealed("k"));
  expect(handOvers.take(sealed("k"))).toBeUndefined();
  await finish(taken, "ok");
  await saw?.("error");
  await vi.advanceTimersByTimeAsync(120_000);
  expect(ended).toEqual(["a ok"]);
});

test("belongs to its input, whatever the order of its fields", () => {
  const call = (input: unknown) => sealCall({ tool: "order_food", input, callId: "k" });
  handOvers.keep(call({ dish: "noodles", price: 3 }), end("a"));
  expect(handOvers.take(call({ dish: "noodles", price: 4 }))).toBeUndefined();
  expect(handOvers.take(call({ dish: "noodles" }))).toBeUndefined();
  expect(handOvers.take(call({ price: 3, dish: "noodles" }))).toBeDefined();
});

test("a call without an id is never handed over", () => {
  expect(handOvers.keep(sealed(""), end("a"))).toBeUndefined();
  expect(handOvers.take(sealed(""))).toBeUndefined();
});

test("belongs to its call", () => {
  handOvers.keep(sealed("k"), end("a"));
  expect(handOvers.take(sealed("other"))).toBeUndefined();
  expect(handOvers.take(sealed("k"))).toBeDefined();
});

test("belongs to its run, where both sides know it: call ids repeat", () => {
  const inRun = (runKey?: string) =>
    sealCall({ tool: "order_food", input: {}, callId: "call_0", ...(runKey && { runKey }) });
  handOvers.keep(inRun("a"), end("a"));
  expect(handOvers.take(inRun("b"))).toBeUndefined();
  expect(handOvers.take(inRun("a"))).toBeDefined();
  handOvers.keep(inRun(), end("a"));
  expect(handOvers.take(inRun("a"))).toBeDefined();
});

test("lapses after a minute, and says that nothing ran", async () => {
  const saw = handOvers.keep(sealed("k"), end("a"));
  await vi.advanceTimersByTimeAsync(59_000);
  expect(ended).toEqual([]);
  await vi.advanceTimersByTimeAsync(2000);
  expect(ended).toEqual(["a not_run"]);
  expect(handOvers.take(sealed("k"))).toBeUndefined();
  await saw?.("ok");
  expect(ended).toEqual(["a not_run"]);
});

test("lapses on time where timers are late", async () => {
  handOvers.keep(sealed("k"), end("a"));
  const late = performance.now() + 60_000;
  vi.spyOn(performance, "now").mockReturnValue(late);
  expect(handOvers.take(sealed("k"))).toBeUndefined();
  vi.mocked(performance.now).mockRestore();
  await vi.advanceTimersByTimeAsync(120_000);
  expect(ended).toEqual(["a not_run"]);
});

test("lapses when the run is aborted", async () => {
  const run = new AbortController();
  handOvers.keep(sealed("k", run.signal), end("a"));
  run.abort();
  expect(handOvers.take(sealed("k"))).toBeUndefined();
  await vi.advanceTimersByTimeAsync(120_000);
  expect(ended).toEqual(["a not_run"]);
});

test("an abort after the use changes nothing", async () => {
  const run = new AbortController();
  handOvers.keep(sealed("k", run.signal), end("a"));
  const taken = handOvers.take(sealed("k"));
  run.abort();
  await finish(taken, "ok");
  expect(ended).toEqual(["a ok"]);
});

test("lapses when the client closes", () => {
  handOvers.keep(sealed("k"), end("a"));
  handOvers.keep(sealed("k"), end("b"));
  handOvers.keep(sealed("l"), end("c"));
  close();
  expect(ended.toSorted()).toEqual(["a not_run", "b not_run", "c not_run"]);
});

test("what the seam saw itself is recorded once and frees the key", async () => {
  const saw = handOvers.keep(sealed("k"), end("a"));
  await saw?.("ok");
  await saw?.("error");
  expect(handOvers.take(sealed("k"))).toBeUndefined();
  expect(ended).toEqual(["a ok"]);
});

test("the same call decided twice can be used twice, oldest first", async () => {
  handOvers.keep(sealed("k"), end("a"));
  handOvers.keep(sealed("k"), end("b"));
  await finish(handOvers.take(sealed("k")), "ok");
  await finish(handOvers.take(sealed("k")), "ok");
  expect(handOvers.take(sealed("k"))).toBeUndefined();
  expect(ended).toEqual(["a ok", "b ok"]);
});
