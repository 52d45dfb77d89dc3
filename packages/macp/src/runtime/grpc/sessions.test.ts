import { once } from "node:events";
import { connect as connectHttp2, performServerHandshake } from "node:http2";
import { type AddressInfo, connect, createServer } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { createSessions } from "./sessions.ts";

/** A server of nothing but connections. */
async function listening() {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const sessions = createSessions();
  const server = createServer((socket) => sessions.add(performServerHandshake(socket), socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    vi.useRealTimers();
    server.close();
    await sessions.close(0);
  });
  return { sessions, port: (server.address() as AddressInfo).port };
}

test("a client that answers stays, one that does not is given up at the second look", async () => {
  const { port } = await listening();
  const alive = connectHttp2(`http://127.0.0.1:${port}`);
  onTestFinished(() => alive.destroy());
  await once(alive, "remoteSettings");
  // Speaks HTTP/2, and never answers a ping.
  const dead = connect(port, "127.0.0.1");
  onTestFinished(() => void dead.destroy());
  dead.write(Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0", "latin1"));
  await once(dead, "data");
  const gone = once(dead, "close");
  dead.on("error", () => {}).resume();
  const asked = once(alive, "ping");
  vi.advanceTimersByTime(30_000);
  await asked;
  // The answer to the ping has come before this request's.
  await new Promise((resolve) => alive.ping(resolve));
  vi.advanceTimersByTime(30_000);
  await gone;
  expect(alive.destroyed).toBe(false);
});

test("closing waits for open calls, and not for ever", async () => {
  const { port, sessions } = await listening();
  const client = connectHttp2(`http://127.0.0.1:${port}`);
  client.on("error", () => {});
  onTestFinished(() => client.destroy());
  const stream = client.request({ ":method": "POST" });
  stream.on("error", () => {});
  await once(client, "remoteSettings");
  await new Promise((resolve) => client.ping(resolve));
  const ended = once(client, "close");
  await sessions.close(20);
  await ended;
  expect(stream.destroyed).toBe(true);
});
