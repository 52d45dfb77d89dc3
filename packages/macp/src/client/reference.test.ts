import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { afterAll, beforeAll, describe } from "vitest";
import { createMacpClient } from "../grpc.ts";
import { describeHistories } from "../sessions/histories.suite.ts";
import { describeSessions } from "../sessions/sessions.suite.ts";
import type { ClientSettings } from "./client-surface.ts";
import { describeClient } from "./client.suite.ts";

const binary = process.env["MACP_REFERENCE_BINARY"];

// Needs a program that is not among the dependencies: `cargo install macp-runtime`, then `pnpm interop`.
describe.skipIf(binary === undefined)("the runtime at MACP_REFERENCE_BINARY", () => {
  const stop = new AbortController();
  let target = "";

  beforeAll(async () => {
    target = `127.0.0.1:${await freePort()}`;
    const runtime = spawn(binary ?? "", {
      signal: stop.signal,
      killSignal: "SIGKILL",
      stdio: "ignore",
      env: {
        ...process.env,
        MACP_ALLOW_INSECURE: "1",
        MACP_MEMORY_ONLY: "1",
        MACP_BIND_ADDR: target,
        MACP_SESSION_START_LIMIT_PER_MINUTE: "100000",
        MACP_MESSAGE_LIMIT_PER_MINUTE: "100000",
      },
    });
    runtime.on("error", () => {});
    const client = createMacpClient({
      target,
      allowInsecure: true,
      timeoutMs: 10_000,
      retry: { retries: 100, baseMs: 50, maxMs: 100 },
      channel: {
        options: { "grpc.max_reconnect_backoff_ms": 100, "grpc.initial_reconnect_backoff_ms": 50 },
      },
    });
    const { runtime: info } = await client.initialize();
    console.log(`${info?.name} ${info?.version}`);
    await client.close();
  });
  afterAll(() => stop.abort());

  const connect = async (settings: ClientSettings) =>
    createMacpClient({ ...settings, target, allowInsecure: true });
  describeClient(connect);
  describeSessions(connect);
  describeHistories(connect, { runs: 4 });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
