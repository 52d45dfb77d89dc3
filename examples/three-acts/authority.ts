import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface DemoAuthority extends AsyncDisposable {
  url: string;
  pid: number | undefined;
  agent: Record<string, string>;
  operatorToken: string;
}

/** `agentkeys dev` as a process of its own, on a free port, with its data in a folder that goes with it. */
export async function startAuthority(): Promise<DemoAuthority> {
  const data = await mkdtemp(join(tmpdir(), "agentkeys-demo-"));
  const main = fileURLToPath(import.meta.resolve("agentkeys/main"));
  const child = spawn(
    process.execPath,
    [...process.execArgv, main, "dev", "--json", "--listen", "127.0.0.1:0", "--data", data],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const gone = once(child, "exit");
  const started = once(createInterface(child.stdout), "line") as Promise<[string]>;
  const [line] = await Promise.race([
    started,
    gone.then(([code]) => Promise.reject(new Error(`the authority left with ${String(code)}`))),
  ]);
  const { url, agent, operator } = JSON.parse(line) as {
    url: string;
    agent: Record<string, string>;
    operator: Record<string, string>;
  };
  return {
    url,
    pid: child.pid,
    agent,
    operatorToken: operator["AGENTKEYS_OPERATOR_TOKEN"] ?? "",
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await gone;
      await rm(data, { recursive: true, force: true });
    },
  };
}
