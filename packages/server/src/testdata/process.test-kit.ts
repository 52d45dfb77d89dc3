import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("serve.test-kit.ts", import.meta.url));

export interface ServeOptions {
  data?: string;
  config?: string;
  surface?: "v1" | "default";
  transport?: "http" | "stdio";
  env?: Record<string, string>;
}

export interface Served {
  readonly child: ChildProcess;
  /** The next line of standard output, after the one with the url. */
  nextLine(): Promise<string>;
  /** The `/mcp` url; empty on stdio. */
  readonly url: string;
  readonly base: string;
  /** What went to standard error so far. */
  log(): string;
  /** Ends the process and waits for it; resolves with its exit code, null after a signal. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Arguments for `node` that run the authority as users' processes do, from source. */
export function serveArguments(options: ServeOptions): string[] {
  const { data = ":memory:", config, surface = "v1", transport = "http" } = options;
  const configured = config === undefined ? [] : ["--config", config];
  const flags = ["--data", data, "--surface", surface, "--transport", transport];
  return ["--conditions=@agentkeys/source", program, ...flags, ...configured];
}

/** Starts the authority as a process of its own and waits until it listens. Rejects with its log when it ends instead. */
export async function serve(options: ServeOptions): Promise<Served> {
  const env = { PATH: process.env["PATH"] ?? "", ...options.env };
  const child = spawn(process.execPath, serveArguments(options), { env, stdio: "pipe" });
  let log = "";
  child.stderr.on("data", (chunk: Buffer) => (log += chunk.toString()));
  const ended = once(child, "exit") as Promise<[number | null]>;
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextLine = async (): Promise<string> => {
    const line = await lines.next();
    if (line.done === true) throw new Error(`standard output ended: ${log}`);
    return line.value;
  };
  const served = (url: string): Served => ({
    child,
    nextLine,
    url,
    base: url.replace(/\/mcp$/, ""),
    log: () => log,
    async stop(signal = "SIGTERM") {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      return (await ended)[0];
    },
  });
  if (options.transport === "stdio") return served("");
  const first = await Promise.race([nextLine().catch(() => ended), ended]);
  if (typeof first === "string") return served((JSON.parse(first) as { url: string }).url);
  throw new Error(`the authority ended with ${String(first[0])}: ${log}`);
}
