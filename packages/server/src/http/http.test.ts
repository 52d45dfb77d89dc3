import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { text as readText } from "node:stream/consumers";
import { AgentKeysError } from "@agentkeys/contract";
import { request } from "undici";
import { expect, onTestFinished, test } from "vitest";
import { BODY_LIMIT } from "./http.ts";
import { openSqliteStore } from "../sqlite/sqlite-store.ts";
import type { Store } from "../store/store.ts";
import { actor, open, operator } from "../testdata/harness.test-kit.ts";

const auth = { authorization: "Bearer demo-tok", "x-agentkeys-actor": actor };
const headers = { ...auth, "content-type": "application/json" };
const ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}';

async function listening() {
  const opened = await open();
  const { url, port } = await opened.authority.listen();
  return { ...opened, url, port, base: url.replace(/\/mcp$/, "") };
}

async function post(url: string, body: string | Buffer, extra: Record<string, string> = {}) {
  const answer = await request(url, { method: "POST", headers: { ...headers, ...extra }, body });
  return { status: answer.statusCode, text: await answer.body.text(), headers: answer.headers };
}

/** Writes raw bytes and gives everything that comes back until the server hangs up. */
async function raw(port: number, ...parts: string[]): Promise<string> {
  const socket: Socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  for (const part of parts) socket.write(part);
  return readText(socket);
}

test("the url that listen gives is where the calls go", async () => {
  const { url } = await listening();
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/mcp$/);
  expect(await post(url, ping)).toMatchObject({
    status: 200,
    text: '{"jsonrpc":"2.0","result":{},"id":1}',
  });
});

test.each([
  ["GET", "/mcp", 405],
  ["DELETE", "/mcp", 405],
  ["OPTIONS", "/mcp", 405],
  ["POST", "/healthz", 405],
  ["GET", "/", 404],
  ["GET", "/mcp/", 404],
  ["POST", "/v1/audit/append", 404],
  ["GET", "/v1/actors/x/y/revoke", 404],
])("%s %s is %i with an empty body", async (method, path, status) => {
  const { base } = await listening();
  const answer = await request(base + path, { method: method as "GET" });
  expect([answer.statusCode, await answer.body.text()]).toEqual([status, ""]);
});

test("HEAD is GET without the body", async () => {
  const { base } = await listening();
  const answer = await request(`${base}/healthz`, { method: "HEAD" });
  expect([answer.statusCode, answer.headers["content-length"], await answer.body.text()]).toEqual([
    200,
    "41",
    "",
  ]);
});

test("HEAD of the audit stream ends, and leaves no reader behind", async () => {
  const { base, http } = await listening();
  const bearer = { authorization: "Bearer operator-tok" };
  const answer = await request(`${base}/v1/audit/stream`, { method: "HEAD", headers: bearer });
  expect([answer.statusCode, await answer.body.text()]).toEqual([200, ""]);
  expect((await http("GET", "/metrics")).text).toContain("agentkeys_audit_streams 0");
});

test("a body of exactly the limit is read, one more byte is a 413", async () => {
  const { url } = await listening();
  const padded = (size: number) =>
    ping.replace("}", `,"x":"${"x".repeat(size - ping.length - 7)}"}`);
  expect(padded(BODY_LIMIT)).toHaveLength(BODY_LIMIT);
  expect((await post(url, padded(BODY_LIMIT))).status).toBe(200);
  const refused = await post(url, padded(BODY_LIMIT + 1));
  expect(refused).toMatchObject({ status: 413, headers: { connection: "close" } });
  expect(JSON.parse(refused.text)).toMatchObject({ reason: "payload_too_large" });
  expect((await post(url, ping)).status).toBe(200);
});

test("a body that grows beyond the limit without saying so is a 413", async () => {
  const { port } = await listening();
  const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;
  const head =
    "POST /mcp HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
  expect(await raw(port, head, chunk.repeat(17))).toMatch(/^HTTP\/1\.1 413 /);
});

test("headers beyond the limit are a 431", async () => {
  const { port } = await listening();
  const answer = await raw(
    port,
    `GET /healthz HTTP/1.1\r\nhost: x\r\nx: ${"x".repeat(20_000)}\r\n\r\n`,
  );
  expect(answer).toMatch(/^HTTP\/1\.1 431 /);
});

test.each([
  ["nested too deeply", `${"[".repeat(200_000)}${"]".repeat(200_000)}`],
  [
    "nested too deeply in an argument",
    ping.replace("}", `,"params":${'{"a":'.repeat(5000)}1${"}".repeat(5000)}}`),
  ],
  ["cut", '{"jsonrpc":"2.0",'],
  ["empty", ""],
  ["not UTF-8", Buffer.from([0x22, 0xff, 0x22])],
  ["a lone surrogate", '{"jsonrpc":"2.0","method":"\\ud800"}'],
])("a body that is %s is a 400, and the server goes on", async (_, body) => {
  const { url } = await listening();
  expect((await post(url, body)).status).toBe(400);
  expect((await post(url, ping)).status).toBe(200);
});

test("bytes that are no text are refused only where a body is read", async () => {
  const { url, base } = await listening();
  const body = Buffer.from([0xff]);
  expect((await post(url, body, { "content-type": "text/plain" })).status).toBe(415);
  expect((await post(`${base}/nowhere`, body)).status).toBe(404);
  expect((await request(url, { method: "PUT", body })).statusCode).toBe(405);
  expect((await request(`${base}/healthz`, { method: "GET", body })).statusCode).toBe(200);
});

test.each(["http://x/mcp", "HTTP://x:1/mcp?y=/z"])(
  "a request may name the whole url: %s",
  async (target) => {
    const { port } = await listening();
    const lines = Object.entries({ ...headers, host: "x", connection: "close" });
    const head = lines.map(([k, v]) => `${k}: ${v}`).join("\r\n");
    const call = `POST ${target} HTTP/1.1\r\n${head}\r\ncontent-length: ${ping.length}\r\n\r\n${ping}`;
    expect(await raw(port, call)).toMatch(/^HTTP\/1\.1 200 /);
  },
);

test.each(["application/json; charset=utf-8", "application/vnd.x+json", "APPLICATION/JSON"])(
  "%s is JSON",
  async (type) => {
    const { url } = await listening();
    expect((await post(url, ping, { "content-type": type })).status).toBe(200);
  },
);

test("many calls share one connection", async () => {
  const { port } = await listening();
  const lines = Object.entries({ ...headers, host: "x", "content-length": String(ping.length) });
  const call = `POST /mcp HTTP/1.1\r\n${lines.map(([k, v]) => `${k}: ${v}`).join("\r\n")}\r\n\r\n${ping}`;
  const last = call.replace("host: x", "host: x\r\nconnection: close");
  const answers = await raw(port, call, call, last);
  expect(answers.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(3);
});

test("closing answers what is under way, then refuses connections", async () => {
  const { authority, records, url } = await listening();
  const params = { name: "agentkeys.permission.check", arguments: { actor, scope: "web.search" } };
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params });
  const calls = Array.from({ length: 50 }, () => post(url, body));
  await Promise.race(calls);
  const answered = records();
  const closed = authority.close();
  const settled = await Promise.allSettled(calls);
  await closed;
  const done = settled.filter((call) => call.status === "fulfilled");
  for (const { value } of done) expect(value).toMatchObject({ status: 200 });
  expect(done.length).toBeGreaterThanOrEqual((await answered).length);
  await expect(post(url, ping)).rejects.toThrow(/ECONNREFUSED/);
});

test("closing does not wait for connections that ask nothing", async () => {
  const { authority, port } = await listening();
  const sockets = [connect(port, "127.0.0.1"), connect(port, "127.0.0.1")];
  sockets[0]?.write("POST /mcp HTTP/1.1\r\nhost:");
  await Promise.all(sockets.map((socket) => once(socket, "connect")));
  const hungUp = sockets.map(
    (socket) => new Promise((resolve) => socket.on("error", () => undefined).on("close", resolve)),
  );
  await authority.close();
  expect(await Promise.all(hungUp)).toHaveLength(2);
});

test("a taken port is told as such", async () => {
  const [one, two] = [await listening(), await open()];
  const error: unknown = await two.authority
    .listen({ port: one.port })
    .catch((cause: unknown) => cause);
  expect(AgentKeysError.is(error, "config_invalid")).toBe(true);
  expect(String(error)).toContain(`127.0.0.1:${one.port}`);
});

test("ready while records can be written, and not when they cannot", async () => {
  const { authority, http } = await open();
  expect(await http("GET", "/readyz")).toMatchObject({ status: 200, text: '{"status":"ready"}' });
  await authority.close();
  expect(await http("GET", "/readyz")).toMatchObject({ status: 503, text: '{"status":"unready"}' });
});

test("metrics count calls, decisions and failures, per authority", async () => {
  const [one, two] = [await open(), await open()];
  await one.ok("permission.check", { scope: "web.search" });
  await one.call("memory.get", {});
  const { text, response } = await one.http("GET", "/metrics");
  expect(response.headers.get("content-type")).toMatch(/^text\/plain/);
  expect(text).toContain('agentkeys_tool_calls_total{tool="permission_check"} 1');
  expect(text).toContain('agentkeys_decisions_total{verdict="accept"} 1');
  expect(text).toContain('agentkeys_failures_total{code="invalid_params"} 1');
  expect(text).toContain("process_resident_memory_bytes");
  expect((await two.http("GET", "/metrics")).text).not.toContain("permission_check");
});

test("a slow reader of the audit stream is read for no faster than it takes, and misses nothing", async () => {
  const store = await openSqliteStore({ data: ":memory:" });
  let read = 0;
  const entriesAfter: Store["entriesAfter"] = async (after, limit) => {
    const entries = await store.entriesAfter(after, limit);
    read += entries.length;
    return entries;
  };
  const { authority, ok } = await open({ store: { ...store, entriesAfter } });
  const { port } = await authority.listen();
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.write(
    "GET /v1/audit/stream?after=0 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer operator-tok\r\n\r\n",
  );
  await once(socket, "readable");
  const op_body = { text: "x".repeat(100_000) };
  const count = 300;
  for (let i = 0; i < count; i++) {
    await ok("audit.append", {
      event: { operator_omni: operator, op_kind: 1, op_body, result: 0 },
    });
  }
  expect(read).toBeLessThan(count);
  let ids = 0;
  for await (const line of createInterface({ input: socket })) {
    if (line.startsWith("id: ")) ids++;
    if (ids === count) break;
  }
  expect(ids).toBe(count);
});

test("of a header that is sent twice the first counts", async () => {
  const { port } = await listening();
  const twice = `X-AgentKeys-Actor: ${actor}\r\nX-AgentKeys-Actor: ${operator}`;
  const fixed = `Authorization: Bearer demo-tok\r\nContent-Type: application/json\r\nConnection: close`;
  const head = `POST /mcp HTTP/1.1\r\nHost: a\r\n${twice}\r\n${fixed}\r\nContent-Length: ${ping.length}`;
  expect(await raw(port, `${head}\r\n\r\n${ping}`)).toContain(
    '{"jsonrpc":"2.0","result":{},"id":1}',
  );
});

test.each([
  [ping.length, ["100", "200"]],
  [BODY_LIMIT + 1, ["413"]],
])("who waits with a body of %i bytes hears %j", async (length, codes) => {
  const { port } = await listening();
  const fields = Object.entries({
    ...headers,
    host: "a",
    connection: "close",
    expect: "100-continue",
  });
  const head = fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const begun = `POST /mcp HTTP/1.1\r\n${head}content-length: ${length}\r\n\r\n`;
  const answer = await raw(port, begun, ...(codes.length === 2 ? [ping] : []));
  expect(answer.match(/(?<=HTTP\/1\.1 )\d+/g)).toEqual(codes);
});
