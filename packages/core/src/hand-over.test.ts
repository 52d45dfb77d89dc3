import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Outcome } from "./guard-surface.ts";
import { HandOvers } from "./hand-over.ts";
import type { Wire } from "./wire.ts";

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

const end = (name: string) => async (outcome: Outcome) => void ended.push(`${name} ${outcome}`);

test("is for one use", async () => {
  const saw = handOvers.keep("k", end("a"), undefined);
  const taken = handOvers.take("k");
  expect(handOvers.take("k")).toBeUndefined();
  await taken?.("ok");
  await saw("error");
  await vi.advanceTimersByTimeAsync(120_000);
  expect(ended).toEqual(["a ok"]);
});

test("belongs to its key", () => {
  handOvers.keep("k", end("a"), undefined);
  expect(handOvers.take("other")).toBeUndefined();
  expect(handOvers.take("k")).toBeDefined();
});

test("lapses after a minute, and says that nothing ran", async () => {
  const saw = handOvers.keep("k", end("a"), undefined);
  await vi.advanceTimersByTimeAsync(59_000);
  expect(ended).toEqual([]);
  await vi.advanceTimersByTimeAsync(2000);
  expect(ended).toEqual(["a not_run"]);
  expect(handOvers.take("k")).toBeUndefined();
  await saw("ok");
  expect(ended).toEqual(["a not_run"]);
});

test("lapses on time where timers are late", async () => {
  handOvers.keep("k", end("a"), undefined);
  const late = performance.now() + 60_000;
  vi.spyOn(performance, "now").mockReturnValue(late);
  expect(handOvers.take("k")).toBeUndefined();
  vi.mocked(performance.now).mockRestore();
  await vi.advanceTimersByTimeAsync(120_000);
  expect(ended).toEqual(["a not_run"]);
});

test("lapses when the run is aborted", async () => {
  const run = new AbortController();
  handOvers.keep("k", end("a"), run.signal);
  run.abort();
  expect(handOvers.take("k")).toBeUndefined();
  await vi.advanceTimersByTimeAsync(120_000);
  expect(ended).toEqual(["a not_run"]);
});

test("an abort after the use changes nothing", async () => {
  const run = new AbortController();
  handOvers.keep("k", end("a"), run.signal);
  const taken = handOvers.take("k");
  run.abort();
  await taken?.("ok");
  expect(ended).toEqual(["a ok"]);
});

test("lapses when the client closes", () => {
  handOvers.keep("k", end("a"), undefined);
  handOvers.keep("k", end("b"), undefined);
  handOvers.keep("l", end("c"), undefined);
  close();
  expect(ended.toSorted()).toEqual(["a not_run", "b not_run", "c not_run"]);
});

test("what the seam saw itself is recorded once and frees the key", async () => {
  const saw = handOvers.keep("k", end("a"), undefined);
  await saw("ok");
  await saw("error");
  expect(handOvers.take("k")).toBeUndefined();
  expect(ended).toEqual(["a ok"]);
});

test("the same call decided twice can be used twice, oldest first", async () => {
  handOvers.keep("k", end("a"), undefined);
  handOvers.keep("k", end("b"), undefined);
  await handOvers.take("k")?.("ok");
  await handOvers.take("k")?.("ok");
  expect(handOvers.take("k")).toBeUndefined();
  expect(ended).toEqual(["a ok", "b ok"]);
});
