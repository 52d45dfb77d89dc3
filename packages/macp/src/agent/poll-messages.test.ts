import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { createDecisionProjection } from "../projections/decision.ts";
import { modeTable } from "../protocol/mode-table.ts";
import { statusOf } from "../protocol/refusal.ts";
import { grpcStatus } from "../protocol/error-codes.ts";
import { type PollOptions, type PolledMessage, pollMessages } from "./poll-messages.ts";

const { mode } = modeTable.decision;

/** Answers with what `say` gives for the number that is asked for: a status, or a body. */
async function service(say: (after: number, request: IncomingMessage) => unknown): Promise<string> {
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const after = Number(new URL(request.url ?? "", "http://x").searchParams.get("after"));
    const said = say(after, request);
    if (typeof said === "number") response.writeHead(said).end();
    else response.end(typeof said === "string" ? said : JSON.stringify(said));
  };
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function take(count: number, options: Partial<PollOptions> & { url: string }) {
  const messages: PolledMessage[] = [];
  const all = { sessionId: "s 1", mode, intervalMs: 1, ...options };
  for await (const message of pollMessages(all)) {
    messages.push(message);
    if (messages.length === count) break;
  }
  return messages;
}

const start = {
  seq: 0,
  message_type: "SessionStart",
  sender: "alice",
  payload: { participants: ["alice", "bob"], ttl_ms: 60_000, newer_field: 1 },
};
const proposal = {
  seq: 1,
  message_type: "Proposal",
  message_id: "m1",
  sender: "alice",
  payload: '{"proposal_id":"p1","option":"ship"}',
};
const vote = {
  seq: 2,
  envelope: {
    messageType: "Vote",
    messageId: "m2",
    sender: "bob",
    payload: { proposalId: "p1", vote: "APPROVE" },
  },
};
const after = (sequence: number) =>
  [start, proposal, vote].filter(({ seq }) => seq > sequence).slice(0, 1);

test("what comes is what a projection takes, in both forms and across questions", async () => {
  const asked: string[] = [];
  const url = await service((sequence, { url: path = "", headers }) => {
    asked.push(`${path} ${headers.authorization}`);
    return sequence < 1 ? after(sequence) : { events: after(sequence) };
  });
  const messages = await take(3, { url: `${url}/api/`, token: "secret" });
  expect(messages.map(({ sequence }) => sequence)).toEqual([0, 1, 2]);
  const projection = createDecisionProjection();
  for (const { envelope } of messages) projection.apply(envelope);
  for (const { envelope } of messages) projection.apply(envelope);
  expect(projection.majorityWinner()).toBe("p1");
  expect(projection.transcript).toHaveLength(3);
  expect(projection.anomalies).toEqual([]);
  expect(asked[0]).toBe("/api/sessions/s%201/events?after=-1 Bearer secret");
});

test("goes on where an earlier run was", async () => {
  const url = await service(after);
  const [message] = await take(1, { url, after: 1 });
  expect(message?.envelope).toMatchObject({ messageType: "Vote", messageId: "m2", sender: "bob" });
});

test("events without a number are counted on, and what is handed out again comes once", async () => {
  const uncounted = [start, proposal].map((event) => ({ ...event, seq: undefined }));
  let asked = 0;
  const url = await service((sequence) => {
    asked += 1;
    return asked === 1 ? uncounted : [{ ...proposal, seq: sequence }, vote];
  });
  const messages = await take(3, { url });
  expect(messages.map(({ envelope }) => envelope.messageType)).toEqual([
    "SessionStart",
    "Proposal",
    "Vote",
  ]);
});

test("asks again where the session is not there yet, or the service is not", async () => {
  const trouble = [404, 503, 429];
  const url = await service((sequence) => trouble.shift() ?? after(sequence));
  expect(await take(1, { url })).toHaveLength(1);
  expect(trouble).toEqual([]);
});

test.each([
  ["a token that is not taken", 401, grpcStatus.UNAUTHENTICATED],
  ["somebody else's session", 403, grpcStatus.PERMISSION_DENIED],
  ["no JSON", "<html>", grpcStatus.DATA_LOSS],
  ["no events", { messages: [] }, grpcStatus.DATA_LOSS],
  ["a payload of another type", [{ ...proposal, payload: { option: 5 } }], grpcStatus.DATA_LOSS],
])("%s ends it", async (_, said, status) => {
  const url = await service(() => said);
  await expect(take(1, { url })).rejects.toSatisfy((error) => statusOf(error) === status);
});

test("a type that nobody knows keeps its JSON", async () => {
  const url = await service(() => [{ seq: 0, message_type: "Note", payload: { a: 1 } }]);
  const [message] = await take(1, { url, mode: "ext.notes.v1" });
  expect(new TextDecoder().decode(message?.envelope.payload)).toBe('{"a":1}');
});

test("the signal ends it while it waits", async () => {
  const ending = new AbortController();
  const url = await service(() => {
    setTimeout(() => ending.abort(), 1);
    return [];
  });
  expect(await take(1, { url, intervalMs: 60_000, signal: ending.signal })).toEqual([]);
});
