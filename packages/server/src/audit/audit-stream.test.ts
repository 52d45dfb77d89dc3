import { type EventSourceMessage, EventSourceParserStream } from "eventsource-parser/stream";
import { expect, test } from "vitest";
import { actor, foreign, type Harness, open, operator } from "../testdata/harness.test-kit.ts";

interface Event {
  seq: number;
  envelope_hash: string;
  envelope: {
    op: string;
    op_kind: number;
    op_body: Record<string, unknown>;
    actor_omni: string;
    operator_omni: string;
  };
}

interface Feed {
  /** The next so many events. */
  take(count: number): Promise<(EventSourceMessage & { json: Event })[]>;
  stop(): Promise<void>;
}

async function follow(
  harness: Harness,
  options: { after?: number; lastEventId?: number; token?: string } = {},
): Promise<Feed> {
  const { after, lastEventId, token = "operator-tok" } = options;
  const headers: Record<string, string> =
    lastEventId === undefined ? {} : { "last-event-id": String(lastEventId) };
  const query = after === undefined ? "" : `?after=${after}`;
  const { response } = await harness.http("GET", `/v1/audit/stream${query}`, { token, headers });
  const body = response.body as ReadableStream<Uint8Array<ArrayBuffer>>;
  const reader = body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream())
    .getReader();
  return {
    async take(count) {
      const events: (EventSourceMessage & { json: Event })[] = [];
      while (events.length < count) {
        const { value, done } = await reader.read();
        if (done) throw new Error(`the stream ended after ${events.length}`);
        events.push({ ...value, json: JSON.parse(value.data) as Event });
      }
      return events;
    },
    stop: () => reader.cancel(),
  };
}

async function check(harness: Harness, times: number): Promise<void> {
  await Promise.all(
    Array.from({ length: times }, () => harness.ok("permission.check", { scope: "web.search" })),
  );
}

test("records arrive as they are written, decoded, with their number as id", async () => {
  const harness = await open();
  const feed = await follow(harness, { after: 0 });
  await check(harness, 1);
  const [event] = await feed.take(1);
  const [record] = await harness.records();
  expect(event).toMatchObject({ id: "1", event: "audit" });
  expect(event?.json).toMatchObject({
    seq: 1,
    envelope_hash: record?.hash,
    envelope: {
      version: 1,
      op_kind: 241,
      op: "permission.check",
      actor_omni: actor,
      operator_omni: operator,
      result: 0,
      intent_text: null,
    },
  });
  expect(event?.json.envelope.op_body).toMatchObject({ scope: "web.search" });
  await feed.stop();
});

test("a reader that left resumes without a gap or a duplicate, while others write", async () => {
  const harness = await open();
  let last = 0;
  const seen: number[] = [];
  for (let round = 0; round < 5; round++) {
    const writing = check(harness, 100);
    const feed = await follow(harness, round % 2 === 0 ? { lastEventId: last } : { after: last });
    for (const { id, json } of await feed.take(70)) {
      expect(id).toBe(String(json.seq));
      seen.push(json.seq);
    }
    last = seen.at(-1) ?? 0;
    await feed.stop();
    await writing;
  }
  expect(seen).toEqual(Array.from({ length: 350 }, (_, i) => i + 1));
});

test("Last-Event-ID wins over the query", async () => {
  const harness = await open();
  await check(harness, 3);
  const feed = await follow(harness, { after: 0, lastEventId: 2 });
  expect((await feed.take(1))[0]?.id).toBe("3");
  await feed.stop();
});

test("without a cursor only what comes next is told", async () => {
  const harness = await open();
  await check(harness, 3);
  const feed = await follow(harness);
  await check(harness, 2);
  expect((await feed.take(2)).map(({ id }) => id)).toEqual(["4", "5"]);
  await feed.stop();
});

test("a reader that does not read holds nobody up, and misses nothing", async () => {
  const harness = await open();
  const feed = await follow(harness, { after: 0 });
  await check(harness, 2000);
  const ids = (await feed.take(2000)).map(({ json }) => json.seq);
  expect(ids).toEqual(Array.from({ length: 2000 }, (_, i) => i + 1));
  await feed.stop();
});

test("operators see their own actors' records only", async () => {
  const harness = await open();
  const feed = await follow(harness, { after: 0, token: "other-operator-tok" });
  await check(harness, 3);
  await harness.call(
    "permission.check",
    { actor: foreign, scope: "web.search" },
    { as: foreign, token: "acme-tok" },
  );
  const [event] = await feed.take(1);
  expect(event?.json).toMatchObject({ seq: 4, envelope: { actor_omni: foreign } });
  await feed.stop();
});

test("closing the authority ends the stream", async () => {
  const harness = await open();
  const feed = await follow(harness, { after: 0 });
  await harness.authority.close();
  await expect(feed.take(1)).rejects.toThrow("the stream ended after 0");
});

test("is the operators' alone", async () => {
  const { http, records } = await open();
  expect((await http("GET", "/v1/audit/stream")).status).toBe(401);
  expect((await http("GET", "/v1/audit/stream", { token: "demo-tok", as: actor })).status).toBe(
    403,
  );
  expect(await records()).toMatchObject([
    { op: "access.denied", actor, body: { what: "GET /v1/audit/stream" } },
  ]);
  expect((await http("GET", "/v1/audit/stream?after=x", { token: "operator-tok" })).status).toBe(
    400,
  );
});

test("v1 has no such route", async () => {
  const { http } = await open({ surface: "v1", bare: true });
  expect(await http("GET", "/v1/audit/stream", { token: "operator-tok" })).toMatchObject({
    status: 404,
    text: "",
  });
});
