import type { Approval } from "@agentkeys/contract";
import { EventSourceParserStream } from "eventsource-parser/stream";
import { expect, test } from "vitest";
import { begin, call, decide, handClock } from "../testdata/approvals.test-kit.ts";
import { actor, foreign, type Harness, open, other } from "../testdata/harness.test-kit.ts";

interface Seen {
  id: string | undefined;
  event: string | undefined;
  data: Approval & { pending?: number };
}

interface Options {
  lastEventId?: string;
  query?: string;
  token?: string;
  as?: string;
}

async function follow(harness: Harness, options: Options = {}) {
  const { lastEventId, query = "", token = "operator-tok", as } = options;
  const { response } = await harness.http("GET", `/v1/approvals/stream${query}`, {
    token,
    ...(as === undefined ? {} : { as }),
    headers: lastEventId === undefined ? {} : { "last-event-id": lastEventId },
  });
  const body = response.body as ReadableStream<Uint8Array<ArrayBuffer>>;
  const reader = body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream())
    .getReader();
  return {
    async take(count: number): Promise<Seen[]> {
      const events: Seen[] = [];
      while (events.length < count) {
        const { value, done } = await reader.read();
        if (done) throw new Error(`the stream ended after ${events.length}`);
        events.push({ id: value.id, event: value.event, data: JSON.parse(value.data) as Approval });
      }
      return events;
    },
    stop: () => reader.cancel(),
  };
}

const told = (events: Seen[]) =>
  events.map(({ event, data }) =>
    event === "ready" ? `ready ${data.pending}` : `${data.call_id} ${data.status}`,
  );

async function ask(harness: Harness, call_id: string): Promise<Approval> {
  return (await begin(harness, call({ call_id }))).approval;
}

test("what is pending, then ready, then every change", async () => {
  const harness = await open();
  await decide(harness, "deny", await ask(harness, "a"));
  const b = await ask(harness, "b");
  await ask(harness, "c");
  const feed = await follow(harness);
  expect(told(await feed.take(3))).toEqual(["b pending", "c pending", "ready 2"]);
  const next = feed.take(1);
  await decide(harness, "approve", b);
  expect(told(await next)).toEqual(["b approved"]);
  const used = feed.take(1);
  const ran = await begin(harness, call({ call_id: "b" }));
  expect(ran.verdict).toBe("accept");
  expect((await used)[0]?.data).toMatchObject({
    status: "approved",
    executed_at: expect.any(Number) as number,
  });
  const asked = feed.take(1);
  await ask(harness, "d");
  expect(told(await asked)).toEqual(["d pending"]);
  await feed.stop();
});

test("many pending ones come whole, whatever changes meanwhile", async () => {
  const harness = await open();
  const all: Approval[] = [];
  for (let i = 0; i < 100; i++) all.push(await ask(harness, `c${i}`));
  const feed = await follow(harness);
  const seen = await feed.take(32);
  const middle = all[50];
  if (middle !== undefined) await decide(harness, "approve", middle);
  while (told(seen.slice(-1))[0] !== "c50 approved") seen.push(...(await feed.take(1)));
  const lines = told(seen);
  // It may have been read before it was decided.
  const shown = lines.includes("c50 pending") ? 100 : 99;
  expect(lines.slice(-2)).toEqual([`ready ${shown}`, "c50 approved"]);
  expect(lines.slice(0, -2).filter((line) => line !== "c50 pending")).toEqual(
    all.flatMap(({ call_id }) => (call_id === "c50" ? [] : [`${call_id} pending`])),
  );
  await feed.stop();
});

test("a reader that left goes on where it was; one that had seen nothing has a cursor too", async () => {
  const harness = await open();
  const feed = await follow(harness);
  const [ready] = await feed.take(1);
  expect(ready).toMatchObject({ id: "0", event: "ready" });
  await feed.stop();
  const a = await ask(harness, "a");
  const b = await ask(harness, "b");
  await decide(harness, "approve", a);
  const second = await follow(harness, { lastEventId: ready?.id ?? "" });
  const events = await second.take(2);
  expect(told(events)).toEqual(["b pending", "a approved"]);
  await second.stop();
  await decide(harness, "deny", b);
  const third = await follow(harness, { query: `?after=${events[1]?.id}` });
  expect(told(await third.take(1))).toEqual(["b denied"]);
  await third.stop();
});

test("an agent follows its own, without the input; an operator its actors'", async () => {
  const harness = await open();
  const mine = await follow(harness, { token: "demo-tok", as: actor });
  const others = await follow(harness, { token: "demo-tok", as: other });
  const theirs = await follow(harness, { token: "other-operator-tok" });
  const operators = await follow(harness);
  for (const feed of [mine, others, theirs, operators])
    expect(told(await feed.take(1))).toEqual(["ready 0"]);
  await begin(harness, call({ call_id: "a", input: { dish: "noodles" } }));
  expect((await mine.take(1))[0]?.data).not.toHaveProperty("input");
  expect((await operators.take(1))[0]?.data.input).toEqual({ dish: "noodles" });
  await harness.call("approval.request", { actor: other, scope: "x" }, { as: other });
  expect((await others.take(1))[0]?.data).toMatchObject({ kind: "review", actor: other });
  const away = { token: "acme-tok", as: foreign };
  await harness.call(
    "approval.request",
    { actor: foreign, operator_omni: undefined, scope: "y" },
    away,
  );
  expect((await theirs.take(1))[0]?.data).toMatchObject({ actor: foreign });
  for (const feed of [mine, others, theirs, operators]) await feed.stop();
});

test("one call can be followed alone", async () => {
  const harness = await open();
  await ask(harness, "a");
  const feed = await follow(harness, { query: "?call_id=b" });
  expect(told(await feed.take(1))).toEqual(["ready 0"]);
  await ask(harness, "c");
  const b = await ask(harness, "b");
  expect(told(await feed.take(1))).toEqual(["b pending"]);
  await decide(harness, "approve", b);
  expect(told(await feed.take(1))).toEqual(["b approved"]);
  await feed.stop();
});

test("what expired before somebody looks is told as expired", async () => {
  const { clock, pass } = handClock();
  const harness = await open({ clock });
  await ask(harness, "a");
  pass(900);
  const feed = await follow(harness, { query: "?after=0" });
  expect(told(await feed.take(1))).toEqual(["a expired"]);
  await feed.stop();
});

test("a revocation is told, and closes the door to the feed", async () => {
  const harness = await open();
  await ask(harness, "a");
  const feed = await follow(harness);
  await feed.take(2);
  const json = { reason: "lost phone" };
  await harness.http("POST", `/v1/actors/${actor}/revoke`, { token: "operator-tok", json });
  expect(told(await feed.take(1))).toEqual(["a denied"]);
  await feed.stop();
  const init = { token: "demo-tok", as: actor };
  expect((await harness.http("GET", "/v1/approvals/stream", init)).status).toBe(403);
});

test("closing the authority ends the stream", async () => {
  const harness = await open();
  const feed = await follow(harness);
  await feed.take(1);
  await harness.authority.close();
  await expect(feed.take(1)).rejects.toThrow("the stream ended after 0");
});

test.each([
  ["nobody", {}, 401],
  ["an agent without its header", { token: "demo-tok" }, 403],
  ["a cursor that is none", { token: "operator-tok", headers: { "last-event-id": "x" } }, 400],
])("is closed to %s", async (_, init, status) => {
  const harness = await open();
  expect((await harness.http("GET", "/v1/approvals/stream", init)).status).toBe(status);
});
