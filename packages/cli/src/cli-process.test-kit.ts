import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("main.ts", import.meta.url));

export type Env = Record<string, string>;

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A folder that is removed when its scope ends. */
export function folder(): Disposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), "agentkeys-cli-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

function start(args: readonly string[], env: Env, cwd?: string) {
  const clean = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(AGENTKEYS|MCP)_/.test(name)),
  );
  return spawn(process.execPath, ["--conditions=@agentkeys/source", main, ...args], {
    env: { ...clean, NO_COLOR: "1", ...env },
    stdio: ["pipe", "pipe", "pipe"],
    ...(cwd === undefined ? {} : { cwd }),
  });
}

interface RunOptions {
  env?: Env;
  /** `null`: the input stays open. */
  stdin?: string | null;
  cwd?: string;
  /** The command gets a SIGTERM when this settles. */
  signalAfter?: Promise<unknown>;
}

/** Runs the command to its end. */
export async function run(
  args: readonly string[],
  { env = {}, stdin = "", cwd, signalAfter }: RunOptions = {},
): Promise<Ended> {
  const child = start(args, env, cwd);
  void signalAfter?.then(() => child.kill());
  child.stdin.on("error", () => undefined);
  if (stdin !== null) child.stdin.end(stdin);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit") as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr };
}

export interface Running extends AsyncDisposable {
  child: ChildProcess;
  /** What it had printed there when it was ready. */
  seen: string;
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

interface StayOptions {
  env?: Env;
  /** Text by which it is ready. Default: the end of its first line. */
  until?: string;
  /** Where that is printed. Default: `stdout`. */
  on?: "stdout" | "stderr";
  cwd?: string;
}

/** Starts a command that stays, and waits until it is ready. */
export async function stay(
  args: readonly string[],
  { env = {}, until = "\n", on = "stdout", cwd }: StayOptions = {},
): Promise<Running> {
  const child = start(args, env, cwd);
  const exited = once(child, "exit") as Promise<[number | null]>;
  let noise = "";
  child.stderr.on("data", (chunk) => (noise += String(chunk)));
  const seen = await new Promise<string>((ready, failed) => {
    let printed = "";
    child[on].on("data", (chunk) => {
      printed += String(chunk);
      if (printed.includes(until)) ready(printed);
    });
    void exited.then(([code]) => failed(new Error(`left with ${code}: ${noise}`)));
  });
  const stop = async (signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> => {
    child.kill(signal);
    return (await exited)[0];
  };
  return {
    child,
    seen,
    stop,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) await stop("SIGKILL");
    },
  };
}

export interface DevAnnouncement {
  url: string;
  agent: Env;
  operator: Env;
}

/** `agentkeys dev` on a free port. */
export async function startDev(data: string): Promise<Running & DevAnnouncement> {
  const running = await stay(["dev", "--json", "--listen", "127.0.0.1:0", "--data", data]);
  return Object.assign(running, JSON.parse(running.seen) as DevAnnouncement);
}
