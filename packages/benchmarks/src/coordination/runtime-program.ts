import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { createMacpClient, type MacpClient } from "@agentkeys/macp/grpc";
import { registerNotes, sender } from "./notes.ts";

export interface RuntimeProgram extends AsyncDisposable {
  readonly target: string;
  readonly client: MacpClient;
  /** As it says itself. */
  readonly version: string;
}

export interface RuntimeProgramOptions {
  /** An executable that takes the reference runtime's environment variables. */
  readonly binary: string;
  readonly storage: "memory" | "disk";
  readonly directory: string;
}

/** A runtime in a process of its own, without limits; ended by its own id. */
export async function startRuntime(options: RuntimeProgramOptions): Promise<RuntimeProgram> {
  const { binary, storage, directory } = options;
  const target = `127.0.0.1:${await freePort()}`;
  const child = spawn(binary, {
    stdio: ["ignore", "ignore", "inherit"],
    env: {
      PATH: process.env["PATH"],
      RUST_LOG: "error",
      MACP_ALLOW_INSECURE: "1",
      MACP_BIND_ADDR: target,
      MACP_MEMORY_ONLY: storage === "memory" ? "1" : "0",
      MACP_DATA_DIR: await mkdtemp(join(directory, "runtime-")),
      MACP_SESSION_START_LIMIT_PER_MINUTE: "1000000",
      MACP_MESSAGE_LIMIT_PER_MINUTE: "1000000000",
    },
  });
  const exited = once(child, "exit");
  const failed = exited.then(() => {
    throw new Error(`${binary} ended before it listened`);
  });
  const client = createMacpClient({
    target,
    allowInsecure: true,
    auth: sender,
    timeoutMs: 10_000,
    retry: { retries: 200, baseMs: 50, maxMs: 50 },
    channel: {
      options: { "grpc.initial_reconnect_backoff_ms": 50, "grpc.max_reconnect_backoff_ms": 50 },
    },
  });
  const { runtime } = await Promise.race([client.initialize(), failed]);
  failed.catch(() => undefined);
  await registerNotes(client);
  return {
    target,
    client,
    version: `${runtime?.name ?? "runtime"} ${runtime?.version ?? ""}`.trim(),
    async [Symbol.asyncDispose]() {
      await client.close();
      child.kill("SIGKILL");
      await exited;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
