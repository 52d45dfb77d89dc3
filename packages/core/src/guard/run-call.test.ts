import { AsyncLocalStorage } from "node:async_hooks";
import { afterEach, describe, expect, test } from "vitest";
import { askingBooks } from "../../test/asking-books.ts";
import {
  broken,
  fusedBooks,
  type Handler,
  hash,
  identity,
  type StandIn,
  standIn,
} from "../../test/stand-in.ts";
import { createClient } from "../client/client.ts";
import type { Client } from "../client/client-surface.ts";
import { type CurrentCall, currentCall, provideCallStorage } from "./current-call.ts";
import { createGuard } from "./guard.ts";
import type { Guard, GuardOptions, Settled } from "./guard-surface.ts";

const open: (StandIn | Client)[] = [];

afterEach(async () => {
  for (const started of open.splice(0)) await started.close();
});

interface Scene {
  server: StandIn;
  guard: Guard;
  ends: Record<string, unknown>[];
  begins: Record<string, unknown>[];
}

async function scene(options: Partial<GuardOptions> = {}): Promise<Scene> {
  const { handlers } = fusedBooks();
  const ends: Scene["ends"] = [];
  const begins: Scene["begins"] = [];
  const begin = handlers["guard/begin"] as Handler;
  handlers["guard/begin"] = (asked, response) => {
    begins.push(asked.params);
    return begin(asked, response);
  };
  handlers["guard/end"] = ({ params }) => {
    ends.push(params);
    return { ok: true, envelope_hash: hash };
  };
  const server = await standIn(handlers);
  const client = createClient({ url: server.url, ...identity });
  open.push(client, server);
  const guard = createGuard({ client, tools: { t: { scope: "s" } }, ...options });
  return { server, guard, ends, begins };
}

const call = { tool: "t", input: { q: 1 }, callId: "c1" };
const run = { ...call, runKey: "r1" };

describe("what an execution counts as", () => {
  test("is asked of the seam, which hears how it settled", async () => {
    const { guard, ends } = await scene();
    const heard: Settled[] = [];
    const outcome = (settled: Settled) => {
      heard.push(settled);
      return "result" in settled ? ("error" as const) : ("suspended" as const);
    };
    const signal = new Error("interrupt");
    expect(await guard.run(call, () => 7, { outcome })).toEqual({ status: "ran", result: 7 });
    const suspending = guard.run(
      call,
      () => {
        throw signal;
      },
      { outcome },
    );
    await expect(suspending).rejects.toBe(signal);
    expect(heard).toEqual([{ result: 7 }, { error: signal }]);
    expect(ends.map((end) => end["outcome"])).toEqual(["error", "suspended"]);
  });

  test("an outcome that throws changes the record and not the run", async () => {
    const { guard, ends } = await scene();
    const outcome = (): never => {
      throw new Error("no such field");
    };
    expect(await guard.run(call, () => 7, { outcome })).toEqual({ status: "ran", result: 7 });
    expect(ends).toMatchObject([{ outcome: "error" }]);
  });
});

describe("results", () => {
  class Message {
    text = "hi";
  }
  const large = "x".repeat(256 * 1024);
  const kept: [string, unknown, unknown][] = [
    ["a text", "done", "done"],
    ["an object", { a: [1, null, { b: true }] }, { a: [1, null, { b: true }] }],
    ["nothing", undefined, null],
    ["a field without a value", { a: undefined, b: 1 }, { b: 1 }],
  ];

  test.each(kept)("%s is kept where the call may be met again", async (_, result, json) => {
    const { guard, ends } = await scene();
    await guard.run(run, () => result);
    await guard.run(call, () => result);
    expect(ends[0]).toMatchObject({ result: json });
    expect(ends[1]).not.toHaveProperty("result");
  });

  test.each([
    ["a date", { at: new Date(0) }],
    ["an object of a class", new Message()],
    ["a map", new Map([["a", 1]])],
    ["a number that JSON has not", Number.NaN],
    ["a function", () => 1],
    ["half a character", "noodles \ud83c"],
    ["what nests too deeply for a message", JSON.parse(`${"[".repeat(126)}${"]".repeat(126)}`)],
    ["what is too long", large],
    ["what is too long in bytes", "ü".repeat(140 * 1024)],
  ])("%s is not kept, and given all the same", async (_, result) => {
    const { guard, ends } = await scene();
    expect(await guard.run(run, () => result)).toEqual({ status: "ran", result });
    expect(ends[0]).toMatchObject({ outcome: "ok" });
    expect(ends[0]).not.toHaveProperty("result");
  });

  test("neither what was thrown nor what a suspended call gave is kept", async () => {
    const { guard, ends } = await scene();
    const failing = guard.run(run, () => {
      throw new Error("kitchen");
    });
    await expect(failing).rejects.toThrow("kitchen");
    await guard.run(run, () => "waiting", { outcome: () => "suspended" });
    expect(ends.map((end) => "result" in end)).toEqual([false, false]);
  });

  test("a failure that was told in a result is kept, unless the row says that it may be tried again", async () => {
    const failed = { outcome: () => "error" as const };
    const once = await scene();
    await once.guard.run(run, () => "no table", failed);
    expect(once.ends).toMatchObject([{ outcome: "error", result: "no table" }]);
    const again = await scene({ tools: { t: { scope: "s", idempotent: true } } });
    await again.guard.run(run, () => "no table", failed);
    expect(again.ends[0]).not.toHaveProperty("result");
  });

  const executed = { verdict: "accept", scope: "s", reason: "already_executed", explanation: "" };

  test("a call that has ended before gives its result, and nothing runs or ends", async () => {
    const { guard, server, ends } = await scene();
    const answer = { ...executed, ticket: "", executed: { outcome: "ok", result: { a: 1 } } };
    server.handlers["guard/begin"] = () => answer;
    let ran = 0;
    const tool = (): number => ++ran;
    const replayed = { status: "ran", result: { a: 1 }, replayed: true };
    expect(await guard.run(run, tool)).toEqual(replayed);
    const wrapped = guard.wrap("t", tool, { call: () => ({ callId: "c1", runKey: "r1" }) });
    expect(await wrapped()).toEqual({ a: 1 });
    expect(await guard.open(run)).toMatchObject({ status: "denied", code: "already_executed" });

    const allowed = await guard.decide(run);
    expect(allowed).toMatchObject({ status: "allowed", replayed: { result: { a: 1 } } });
    server.handlers["guard/begin"] = broken["hang"] as Handler;
    expect(await guard.run(run, tool)).toEqual(replayed);
    expect([ran, ends]).toEqual([0, []]);
  });

  test.each([[{}], [[]], ["done"], [{ outcome: "ok" }]])(
    "an execution %j that is half told is none",
    async (half) => {
      const { guard, server } = await scene();
      const answer = { ...executed, ticket: "t", envelope_hash: hash, executed: half };
      server.handlers["guard/begin"] = () => answer;
      let ran = 0;
      expect(await guard.run(run, () => ++ran)).toMatchObject({ code: "authority_unavailable" });
      expect(ran).toBe(0);
    },
  );

  test.each(["already_executed", "outcome_unknown", "approval_pending", "approval_expired"])(
    "the reason %s is the denial's code, and the error's",
    async (reason) => {
      const { guard, server } = await scene();
      const answer = { verdict: "deny", scope: "s", reason, explanation: "e", ticket: "" };
      server.handlers["guard/begin"] = () => answer;
      expect(await guard.run(run, () => 1)).toMatchObject({ status: "denied", code: reason });
      await expect(guard.wrap("t", () => 1)()).rejects.toMatchObject({ code: reason });
    },
  );
});

test("what the row and the guard say is sent with every begin", async () => {
  const { guard, begins } = await scene({
    approval: { showInput: true },
    tools: {
      t: { scope: "s", idempotent: true, describe: ({ q }) => `look for ${String(q)}` },
      long: { scope: "s", describe: () => "é".repeat(5000) },
      bare: { scope: "s" },
      bad: { scope: "s", describe: () => "" },
    },
  });
  for (const tool of ["t", "long", "bare", "bad"]) {
    await guard.run({ ...call, tool }, () => 1, { mayAsk: false });
  }
  const [t, long, bare, bad] = begins;
  expect(t).toMatchObject({ describe: "look for 1", idempotent: true, input: { q: 1 } });
  expect(t).toMatchObject({ may_ask: false });
  expect(long?.["describe"]).toHaveLength(4000);
  expect(long?.["describe"]).toMatch(/… \(5000 characters in all\)$/);
  expect(bare).not.toHaveProperty("describe");
  expect(bare).not.toHaveProperty("idempotent");
  expect(bad).toMatchObject({ refused: { reason: "mapping_failed" } });
});

describe("generators", () => {
  async function* courses(): AsyncGenerator<string, number> {
    yield "soup";
    yield "rice";
    return 2;
  }

  test("are held open to their end, and the seam hears what they returned", async () => {
    const { guard, ends } = await scene();
    const heard: Settled[] = [];
    const ran = await guard.run(run, courses, { outcome: (settled) => void heard.push(settled) });
    if (ran.status !== "ran") throw new Error(ran.message);
    const seen: string[] = [];
    for await (const dish of ran.result) {
      expect(ends).toEqual([]);
      seen.push(dish);
    }
    expect(seen).toEqual(["soup", "rice"]);
    expect(heard).toEqual([{ result: 2 }]);
    expect(ends).toMatchObject([{ outcome: "ok" }]);
    expect(ends[0]).not.toHaveProperty("result");
  });

  test.each([
    ["before the first step", 0],
    ["in the middle", 1],
  ])("left %s were aborted", async (_, steps) => {
    const { guard, ends } = await scene();
    const ran = await guard.run(run, courses);
    if (ran.status !== "ran") throw new Error(ran.message);
    for (let i = 0; i < steps; i++) await ran.result.next();
    expect(await ran.result.return(0)).toEqual({ done: true, value: 0 });
    await ran.result.return(0);
    expect(ends).toMatchObject([{ outcome: "aborted" }]);
  });

  test("that throw were errors; what is thrown into them is theirs", async () => {
    const { guard, ends } = await scene();
    const thrown = new Error("kitchen");
    const ran = await guard.run(run, async function* () {
      try {
        yield 1;
      } catch {
        yield 2;
      }
      throw thrown;
    });
    if (ran.status !== "ran") throw new Error(ran.message);
    await ran.result.next();
    expect(await ran.result.throw(new Error("in"))).toEqual({ done: false, value: 2 });
    await expect(ran.result.next()).rejects.toBe(thrown);
    expect(ends).toMatchObject([{ outcome: "error" }]);
  });

  test("drain reads what a plain function streams, and its last value is the result", async () => {
    const { guard, ends } = await scene();
    const plain = guard.wrap("t", (): unknown => courses(), { drain: true });
    expect(await plain()).toBe("rice");
    const none = guard.wrap("t", async () => 7, { drain: true });
    expect(await none()).toBe(7);
    const kept = guard.wrap("t", courses, { drain: true })();
    expect(await kept.next()).toEqual({ done: false, value: "soup" });
    await kept.return(0);
    expect(ends.map((end) => end["outcome"])).toEqual(["ok", "ok", "aborted"]);
  });
});

test("after one silent answer the rest of a step is denied at once, and another step is not", async () => {
  const { guard, server } = await scene();
  const whole = server.handlers["guard/begin"] as Handler;
  server.handlers["guard/begin"] = broken["a page"] as Handler;
  const step = {};
  const asked = (): number => server.names().filter((name) => name === "guard/begin").length;
  const decide = (callId: string, of: object) => guard.decide({ ...call, callId }, { step: of });
  expect(await decide("c1", step)).toMatchObject({ code: "authority_unavailable" });
  server.handlers["guard/begin"] = whole;
  expect(await decide("c2", step)).toMatchObject({ code: "authority_unavailable" });
  expect(asked()).toBe(1);
  expect(await decide("c3", {})).toMatchObject({ status: "allowed" });
});

test("a guarded call is known from inside, also between the steps of a generator, and nowhere else", async () => {
  const { guard } = await scene();
  expect(currentCall()).toBeUndefined();
  provideCallStorage(new AsyncLocalStorage<CurrentCall>());
  provideCallStorage(new AsyncLocalStorage<CurrentCall>());
  const seen: unknown[] = [];
  const look = (): void => void seen.push([currentCall()?.tool, currentCall()?.runKey]);
  await guard.run(run, async () => {
    look();
    await Promise.resolve();
    await guard.run({ ...call, callId: "c2" }, look);
    look();
  });
  const ran = await guard.run(run, async function* () {
    look();
    yield 1;
    look();
  });
  if (ran.status !== "ran") throw new Error(ran.message);
  for await (const _ of ran.result) expect(currentCall()).toBeUndefined();
  expect(seen).toEqual([
    ["t", "r1"],
    ["t", undefined],
    ["t", "r1"],
    ["t", "r1"],
    ["t", "r1"],
  ]);
  expect(currentCall()).toBeUndefined();
});

test("a run that is over is forgotten, and a silent authority is nobody's trouble", async () => {
  const { handlers } = askingBooks();
  const server = await standIn(handlers);
  const client = createClient({ url: server.url, ...identity });
  open.push(client, server);
  const guard = createGuard({ client, tools: {} });
  const seen: unknown[] = [];
  handlers["guard/forget"] = ({ params }) => ({
    ok: true,
    forgotten: seen.push(params["run_key"]),
  });
  await guard.forget("r1");
  handlers["guard/forget"] = broken["a page"] as Handler;
  await guard.forget("r1");
  expect(seen).toEqual(["r1"]);
});

test.each([{ tool: undefined }, { tool: 5 }, { callId: 5 }, { runKey: {} }, { tool: "a\ud800" }])(
  "a name that is no text is a recorded denial: %j",
  async (names) => {
    const { guard, begins } = await scene();
    let ran = 0;
    const said = await guard.run({ ...call, ...names } as never, () => ++ran);
    expect(said).toMatchObject({ status: "denied", reason: "name_not_text" });
    expect(begins).toMatchObject([{ refused: { reason: "name_not_text" } }]);
    expect(ran).toBe(0);
  },
);
