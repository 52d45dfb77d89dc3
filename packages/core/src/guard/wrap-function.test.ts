import { afterEach, expect, test } from "vitest";
import { fusedBooks, identity, type Row, type StandIn, standIn } from "../../test/stand-in.ts";
import { isGuardedBy } from "./brand.ts";
import { createClient } from "../client/client.ts";
import type { Client } from "../client/client-surface.ts";
import { createGuard } from "./guard.ts";
import type { Guard } from "./guard-surface.ts";

const open: (StandIn | Client)[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((started) => started.close()));
});

interface Order {
  dish: string;
  price: number;
}

async function scene(): Promise<{ guard: Guard; rows: Row[]; outcomes(): unknown[] }> {
  const { rows, handlers } = fusedBooks();
  const server = await standIn(handlers);
  const client = createClient({ url: server.url, ...identity });
  open.push(client, server);
  const params = ({ price }: Order): object => ({ amount_rmb: price });
  const guard = createGuard<{ order: Order; none: object }>({
    client,
    tools: {
      order: { scope: "payment.spend", params: (i) => ({ ...params(i) }) },
      none: { scope: "web.search" },
    },
  });
  const outcomes = (): unknown[] => rows.flatMap(({ body }) => body["outcome"] ?? []);
  return { guard, rows, outcomes };
}

const cheap: Order = { dish: "noodles", price: 200 };
const dear: Order = { dish: "lobster", price: 600 };

test("a function keeps its result, its other arguments, its this and its name", async () => {
  const { guard, outcomes } = await scene();
  const kitchen = {
    name: "Yulin",
    cook(this: { name: string }, order: Order, table: number, notes: Map<string, string>): string {
      return `${this.name}: ${order.dish} for ${table} ${notes.get("n")}`;
    },
  };
  const notes = new Map([["n", "spicy"]]);
  const cook = guard.wrap("order", kitchen.cook);
  expect(await cook.call(kitchen, cheap, 7, notes)).toBe("Yulin: noodles for 7 spicy");
  expect(cook.name).toBe("cook");
  expect(isGuardedBy(cook, guard)).toBe(true);
  expect(outcomes()).toEqual(["ok"]);
});

test("a denied function does not run, and its error tells a program why", async () => {
  const { guard, outcomes } = await scene();
  let ran = 0;
  const order = guard.wrap("order", ({ price }: Order) => (ran += price));
  await expect(order(dear)).rejects.toMatchObject({
    name: "AgentKeysError",
    code: "permission_denied",
    message: "Denied by AgentKeys: daily_spend_cap_exceeded (cap=500, requested=600, period=daily)",
    data: {
      reason: "daily_spend_cap_exceeded",
      explanation: "cap=500, requested=600, period=daily",
      scope: "payment.spend",
    },
  });
  await expect(guard.wrap("unknown", () => ++ran)()).rejects.toMatchObject({
    code: "permission_denied",
    data: { reason: "unmapped_tool", scope: null },
  });
  expect(ran).toBe(0);
  expect(outcomes()).toEqual([]);
});

test("what it throws, at once or later, passes as it is", async () => {
  const { guard, outcomes } = await scene();
  const thrown = new Error("kitchen");
  const now = guard.wrap("order", ({ price }: Order): number => {
    if (price > 0) throw thrown;
    return price;
  });
  const later = guard.wrap("order", async ({ price }: Order) => {
    await Promise.resolve();
    if (price > 0) throw thrown;
  });
  await expect(now(cheap)).rejects.toBe(thrown);
  await expect(later(cheap)).rejects.toBe(thrown);
  expect(outcomes()).toEqual(["error", "error"]);
});

test("without an input the function gets an empty one", async () => {
  const { guard } = await scene();
  const seen = guard.wrap("none", (...args: unknown[]) => args);
  expect(await seen()).toEqual([{}]);
});

async function* courses(order: Order): AsyncGenerator<string, number, string | undefined> {
  const said = yield `${order.dish} 1`;
  yield `${order.dish} 2 ${said ?? ""}`;
  return order.price;
}

test("an async generator stays one, held open to its end", async () => {
  const { guard, rows, outcomes } = await scene();
  const stream = guard.wrap("order", courses)(cheap);
  expect(rows).toEqual([]);
  expect(await stream.next()).toEqual({ done: false, value: "noodles 1" });
  expect(rows).toHaveLength(1);
  expect(await stream.next("hot")).toEqual({ done: false, value: "noodles 2 hot" });
  expect(outcomes()).toEqual([]);
  expect(await stream.next()).toEqual({ done: true, value: 200 });
  expect(outcomes()).toEqual(["ok"]);
});

test("a stream that nobody wants to the end was aborted, and is cleaned up", async () => {
  const { guard, outcomes } = await scene();
  let cleaned = false;
  const stream = guard.wrap("order", async function* (order: Order) {
    try {
      yield order.dish;
      yield order.dish;
    } finally {
      cleaned = true;
    }
  });
  for await (const dish of stream(cheap)) {
    expect(dish).toBe("noodles");
    break;
  }
  expect(cleaned).toBe(true);
  expect(outcomes()).toEqual(["aborted"]);
});

test("an error in a stream, from inside or from its reader, is recorded", async () => {
  const { guard, outcomes } = await scene();
  const thrown = new Error("kitchen");
  const failing = guard.wrap("order", async function* (order: Order) {
    yield order.dish;
    throw thrown;
  })(cheap);
  await failing.next();
  await expect(failing.next()).rejects.toBe(thrown);
  const reading = guard.wrap("order", courses)(cheap);
  await reading.next();
  await expect(reading.throw(thrown)).rejects.toBe(thrown);
  expect(outcomes()).toEqual(["error", "error"]);
});

test("a generator function that cannot take its input apart is an error in the record", async () => {
  const { guard, outcomes } = await scene();
  const guarded = guard.wrap("none", async function* ({ order: { dish } }: { order: Order }) {
    yield dish;
  });
  await expect(guarded({} as never).next()).rejects.toThrow(TypeError);
  expect(outcomes()).toEqual(["error"]);
});

test("an outcome that cannot be told is an error in the record", async () => {
  const { guard, outcomes } = await scene();
  const outcome = (): never => {
    throw new Error("no such field");
  };
  const guarded = guard.wrap("none", () => "done", { outcome });
  expect(await guarded()).toBe("done");
  expect(outcomes()).toEqual(["error"]);
});

test("a denied stream gives nothing", async () => {
  const { guard, outcomes } = await scene();
  let ran = 0;
  const stream = guard.wrap("order", async function* ({ price }: Order) {
    yield (ran += price);
  })(dear);
  await expect(stream.next()).rejects.toMatchObject({ code: "permission_denied" });
  expect(await stream.next()).toEqual({ done: true, value: undefined });
  expect(ran).toBe(0);
  expect(outcomes()).toEqual([]);
});

test("a stream from an ordinary function is held open too", async () => {
  const { guard, outcomes } = await scene();
  const wrapped: (order: Order) => unknown = guard.wrap("order", (order: Order) => courses(order));
  const stream = (await wrapped(cheap)) as AsyncGenerator<string>;
  expect((await stream.next()).value).toBe("noodles 1");
  expect(outcomes()).toEqual([]);
  await stream.return(undefined);
  expect(outcomes()).toEqual(["aborted"]);
});

test("a framework's own arguments give id, run and signal, and its results their outcome", async () => {
  const { guard, rows, outcomes } = await scene();
  const stop = new AbortController();
  interface Context {
    id: string;
    signal: AbortSignal;
  }
  const tool = guard.wrap(
    "order",
    (_order: Order, { signal }: Context) => {
      signal.throwIfAborted();
      return { isError: true };
    },
    {
      call: (_, { id, signal }) => ({ callId: id, runKey: "run", signal }),
      outcome: (settled) =>
        "result" in settled && (settled.result as { isError: boolean }).isError
          ? "error"
          : undefined,
    },
  );
  expect(await tool(cheap, { id: "c1", signal: stop.signal })).toEqual({ isError: true });
  expect(rows[0]?.body).toMatchObject({ call_id: "c1", run_key: "run" });
  expect(outcomes()).toEqual(["error"]);
  const aborted = guard.wrap(
    "order",
    (_order: Order, { signal }: Context) => {
      stop.abort();
      signal.throwIfAborted();
    },
    { call: (_, { id, signal }) => ({ callId: id, signal }) },
  );
  await expect(aborted(cheap, { id: "c2", signal: stop.signal })).rejects.toMatchObject({
    name: "AbortError",
  });
  expect(outcomes()).toEqual(["error", "aborted"]);
});
