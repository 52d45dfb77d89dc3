import type { ServerResponse } from "node:http";
import { type Approval, inputDigest } from "@agentkeys/contract";
import { afterEach, describe, expect, test, vi } from "vitest";
import { newApproval } from "../../test/asking-books.ts";
import {
  broken,
  canary,
  type Handler,
  identity,
  send,
  type StandIn,
  standIn,
} from "../../test/stand-in.ts";
import { createClient } from "../client/client.ts";
import { createOperator } from "../operator/operator.ts";

const closing: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const opened of closing.splice(0)) await opened.close();
});

const door = "GET /v1/approvals/stream";

/** Each connection is answered by the next of `connections`, the last one again and again. */
async function feeds(...connections: Handler[]): Promise<StandIn> {
  let next = 0;
  const server = await standIn({
    [door]: (asked, response) =>
      connections[Math.min(next++, connections.length - 1)]?.(asked, response),
  });
  return server;
}

const watchers = {
  operator: (url: string, timeoutMs?: number) => {
    const operator = createOperator({ url, token: "operator-token", timeoutMs });
    closing.push(operator);
    return operator.approvals;
  },
  client: (url: string, timeoutMs?: number) => {
    const client = createClient({ ...identity, url, timeoutMs });
    closing.push(client);
    return client.approvals;
  },
  "operator with a fetch": (url: string, timeoutMs?: number) => {
    const given = (to: string, init: RequestInit) => fetch(to, init);
    const operator = createOperator({ url, token: "operator-token", timeoutMs, fetch: given });
    closing.push(operator);
    return operator.approvals;
  },
};

const approval = (call_id: string): Approval =>
  newApproval({ tool: "mail", scope: "mail.send", call_id, input_digest: inputDigest({}) });
const event = (data: unknown, id = "1"): string =>
  `id: ${id}\nevent: approval\ndata: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`;
const decided = (one: Approval): Approval => ({
  ...one,
  status: "denied",
  decided: { outcome: "denied", approver: null, reason: "no", at: 1 },
});

const says =
  (...texts: (string | Buffer)[]): Handler =>
  (_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const text of texts) response.write(text);
  };
const saysAndCuts =
  (...texts: string[]): Handler =>
  (_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(texts.join(""), () => response.socket?.destroy());
  };

describe.each(Object.entries(watchers))("%s", (_, approvalsOf) => {
  test("goes on where it was cut, and tells nothing twice", async () => {
    const [one, two] = [approval("c1"), approval("c2")];
    const server = await feeds(
      saysAndCuts(event(one, "7"), "event: other\ndata: {}\n\n"),
      says(event(one, "7"), event(two, "8"), event(decided(one), "9")),
    );
    closing.push(server);
    const watch = approvalsOf(server.url).watch();
    expect(await watch.next()).toEqual({ done: false, value: one });
    expect(await watch.next()).toEqual({ done: false, value: two });
    expect(await watch.next()).toEqual({ done: false, value: decided(one) });
    expect(server.asked.map(({ headers }) => headers["last-event-id"])).toEqual([undefined, "7"]);
    await watch.return();
  });

  test("what does not say what its digest says is left out", async () => {
    const whole = approval("c9");
    const halves = [
      "{",
      "null",
      "[]",
      '"text"',
      "7",
      { ...approval("c1"), text: canary },
      { ...approval("c2"), call_id: "other" },
      { ...approval("c3"), status: "granted" },
      { ...approval("c4"), digest: undefined },
      { ...approval("c5"), status: "approved" },
      { ...approval("c6"), text: "\ud800" },
    ];
    const server = await feeds(says(...halves.map((half) => event(half)), event(whole)));
    closing.push(server);
    const watch = approvalsOf(server.url).watch();
    expect(await watch.next()).toEqual({ done: false, value: whole });
    await watch.return();
  });

  test("an event may come in pieces, in the middle of a character too", async () => {
    const one = newApproval({
      tool: "mail",
      scope: null,
      call_id: "c1",
      input_digest: inputDigest({}),
      describe: "面条 🍜",
    });
    const bytes = Buffer.from(event(one));
    const server = await feeds((_asked, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      const write = (at: number): void => {
        if (at >= bytes.length) return;
        response.write(bytes.subarray(at, at + 7), () => setImmediate(write, at + 7));
      };
      write(0);
    });
    closing.push(server);
    const watch = approvalsOf(server.url).watch();
    expect(await watch.next()).toEqual({ done: false, value: one });
    await watch.return();
  });

  const refusals: [string, Handler, string][] = [
    ["hang", broken["hang"] as Handler, "authority_unavailable"],
    ["a cut", broken["cut before the answer"] as Handler, "authority_unavailable"],
    ["a page", broken["HTTP 500 with a page"] as Handler, "authority_unavailable"],
    ["a redirect", broken["a redirect"] as Handler, "authority_unavailable"],
    ["HTTP 404 of a server without approvals", (_a, r) => void r.writeHead(404).end(), "not_found"],
    [
      "HTTP 401",
      (_a, response) => send(response, 401, { error: "no such token", reason: "unauthorized" }),
      "unauthorized",
    ],
    [
      "HTTP 403",
      (_a, response) => send(response, 403, { error: "an agent's token", reason: "forbidden" }),
      "forbidden",
    ],
  ];
  test.each(refusals)("a first connection that meets %s rejects", async (_name, handler, code) => {
    const server = await feeds(handler);
    closing.push(server);
    const watch = approvalsOf(server.url, 300).watch();
    const error = await watch.next().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code });
    expect(String(error)).not.toContain(canary);
    expect(await watch.next()).toEqual({ done: true, value: undefined });
  });

  test("a later failure is waited out, a later refusal is not", async () => {
    const [one, two] = [approval("c1"), approval("c2")];
    const server = await feeds(
      saysAndCuts(event(one)),
      broken["HTTP 502 from a proxy"] as Handler,
      broken["cut before the answer"] as Handler,
      saysAndCuts(event(two)),
      (_a, response) => send(response, 401, { error: "token revoked", reason: "unauthorized" }),
    );
    closing.push(server);
    const watch = approvalsOf(server.url).watch();
    expect(await watch.next()).toMatchObject({ value: { call_id: "c1" } });
    expect(await watch.next()).toMatchObject({ value: { call_id: "c2" } });
    await expect(watch.next()).rejects.toMatchObject({
      code: "unauthorized",
      message: "token revoked",
    });
  });

  test("an abort ends it, and the connection with it; so does leaving", async () => {
    const open = new Set<ServerResponse>();
    const server = await feeds((asked, response) => {
      open.add(response);
      response.on("close", () => open.delete(response));
      return says(event(approval("c1")))(asked, response);
    });
    closing.push(server);
    const approvals = approvalsOf(server.url);
    const stop = new AbortController();
    const seen: string[] = [];
    for await (const one of approvals.watch({ signal: stop.signal })) {
      seen.push(one.call_id);
      setTimeout(() => stop.abort(), 20);
    }
    await vi.waitFor(() => expect(open.size).toBe(0));
    for await (const one of approvals.watch()) {
      seen.push(one.call_id);
      break;
    }
    await vi.waitFor(() => expect(open.size).toBe(0));
    expect(seen).toEqual(["c1", "c1"]);
    expect(await approvals.watch({ signal: AbortSignal.abort() }).next()).toMatchObject({
      done: true,
    });
  });
});

test("lists and decisions that are half told are none", async () => {
  const one = approval("c1");
  const server = await standIn({});
  closing.push(server);
  const operator = createOperator({ url: server.url, token: "operator-token" });
  const client = createClient({ url: server.url, ...identity });
  closing.push(operator, client);
  const unavailable = { code: "authority_unavailable" };
  const answer =
    (body: unknown): Handler =>
    (_, response) =>
      send(response, 200, body);
  for (const body of [{}, { approvals: {} }, { approvals: [one, { ...one, text: "x" }] }]) {
    server.handlers["GET /v1/approvals"] = answer(body);
    server.handlers["guard/approvals"] = () => body;
    await expect(operator.approvals.list()).rejects.toMatchObject(unavailable);
    await expect(client.approvals.list()).rejects.toMatchObject(unavailable);
  }
  const rule = { id: "rul_1", match: "tool" };
  server.handlers["GET /v1/rules"] = answer({ rules: [rule] });
  server.handlers["POST /v1/rules/rul_1/revoke"] = answer({ ok: true, rule });
  await expect(operator.rules.list()).rejects.toMatchObject(unavailable);
  await expect(operator.rules.revoke("rul_1", { reason: "r" })).rejects.toMatchObject(unavailable);
  const path = `POST /v1/approvals/${one.id}/approve`;
  const envelope_hash = inputDigest({});
  const approved = { ...decided(one), status: "approved" };
  for (const body of [
    { ok: true, envelope_hash },
    { ok: true, approval: one, envelope_hash },
    { ok: true, approval: decided(one), envelope_hash },
    { ok: true, approval: { ...approved, id: "apr_x" }, envelope_hash },
    { ok: true, approval: approved },
    { ok: false, approval: approved, envelope_hash },
  ]) {
    server.handlers[path] = answer(body);
    const deciding = operator.approvals.approve(one, { reason: "r" });
    await expect(deciding).rejects.toMatchObject(unavailable);
  }
  server.handlers["guard/withdraw"] = () => ({ ok: true, approval: approval("c2") });
  await expect(client.approvals.withdraw(one.id)).rejects.toMatchObject(unavailable);
});

test("a decision is sent once, whatever comes of it", async () => {
  const one = approval("c1");
  const server = await standIn({
    [`POST /v1/approvals/${one.id}/deny`]: broken["cut before the answer"] as Handler,
  });
  closing.push(server);
  const operator = createOperator({ url: server.url, token: "operator-token" });
  closing.push(operator);
  await expect(operator.approvals.deny(one, { reason: "r" })).rejects.toMatchObject({
    code: "authority_unavailable",
  });
  expect(server.asked).toHaveLength(1);
});
