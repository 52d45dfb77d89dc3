import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { unique } from "../exchanges.ts";
import type { Answered, Load } from "../load.ts";

const run = promisify(execFile);
const script = fileURLToPath(new URL("wrk.lua", import.meta.url));

/** `--version` makes wrk exit with 1. */
export async function hasWrk(): Promise<boolean> {
  return run("wrk", ["--version"]).then(
    () => true,
    (error: { code?: unknown }) => error.code !== "ENOENT",
  );
}

export async function generateWithWrk({
  url,
  exchange,
  clients,
  seconds,
}: Load): Promise<Answered> {
  const directory = await mkdtemp(join(tmpdir(), "agentkeys-load-"));
  try {
    const body = join(directory, "body");
    await writeFile(body, exchange.body);
    const headers = Object.entries(exchange.headers).flatMap(([k, v]) => ["-H", `${k}: ${v}`]);
    const length = ["-t1", `-c${clients}`, `-d${seconds}s`, "--timeout", "10s"];
    const options = [...length, ...headers, "-s", script, url, "--"];
    // Ids grow with time, as our client's do.
    const time = Date.now().toString(16).padStart(12, "0");
    const family = `${time.slice(0, 8)}-${time.slice(8)}`;
    const { stdout } = await run("wrk", [...options, body, unique, family]);
    const { failures, ...answered } = lastLine(stdout);
    if (failures !== "") throw new Error(`wrk on ${url}: ${failures}`);
    return answered;
  } finally {
    await rm(directory, { recursive: true });
  }
}

function lastLine(output: string): Answered & { failures: string } {
  return JSON.parse(output.trimEnd().split("\n").at(-1) ?? "") as Answered & { failures: string };
}
