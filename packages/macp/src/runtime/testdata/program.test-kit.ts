import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import type { RuntimeCalls } from "../../client/transport.ts";
import { createGrpcTransport } from "../../transports/grpc-transport.ts";

export const executable = fileURLToPath(
  new URL("../../../bin/agentkeys-macp-runtime", import.meta.url),
);

/** In memory, plaintext, callers name themselves, any port. */
export const open = {
  MACP_ALLOW_INSECURE: "1",
  MACP_MEMORY_ONLY: "1",
  MACP_BIND_ADDR: "127.0.0.1:0",
};

export interface Ended {
  /** null = a signal ended it. */
  readonly code: number | null;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly target: string;
  /** Plaintext calls; closed with the test. */
  readonly calls: RuntimeCalls;
  stop(signal?: NodeJS.Signals): Promise<Ended>;
}

/** Starts the program and waits until it says where it listens; `Ended` when it ends instead. Killed with the test. */
export async function run(
  env: Record<string, string>,
  path = executable,
): Promise<Running | Ended> {
  const inherited = { PATH: process.env["PATH"] ?? "" };
  const child = spawn(path, { env: { ...inherited, ...env }, stdio: "pipe" });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = once(child, "close").then(([code]): Ended => ({ code: code as number | null, stderr }));
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  const target = await Promise.race([listening(child), ended]);
  if (typeof target !== "string") return target;
  const transport = createGrpcTransport({ target, allowInsecure: true });
  onTestFinished(async () => transport.close());
  return {
    child,
    target,
    calls: transport.calls,
    async stop(signal = "SIGKILL") {
      child.kill(signal);
      return ended;
    },
  };
}

export async function running(env: Record<string, string> = {}): Promise<Running> {
  const program = await run({ ...open, ...env });
  if ("child" in program) return program;
  throw new Error(`the program ended with ${program.code}: ${program.stderr}`);
}

export function directory(): string {
  const path = mkdtempSync(join(tmpdir(), "agentkeys-macp-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

async function listening(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error("no standard output");
  for await (const line of createInterface({ input: child.stdout })) {
    const target = /"message":"listening","target":"([^"]+)"/.exec(line)?.[1];
    if (target !== undefined) {
      child.stdout.resume();
      return target;
    }
  }
  return new Promise(() => {});
}
