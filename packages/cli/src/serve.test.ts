import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { folder } from "./cli-process.test-kit.ts";

const main = fileURLToPath(new URL("main.ts", import.meta.url));

/** `serve` with the null device for its standard input, as a service manager gives it. */
function serve(data: string, args: readonly string[]) {
  const all = ["--conditions=@agentkeys/source", main, "serve", "--data", data, ...args];
  return spawn(process.execPath, all, { stdio: ["ignore", "pipe", "pipe"] });
}

test("serve under a service manager: exit 0 on SIGTERM, and its own reason where it cannot start", async () => {
  using dir = folder();
  const child = serve(join(dir.path, "a"), ["--listen", "127.0.0.1:0"]);
  const exited = once(child, "exit");
  // An older Node.js warns of its SQLite first.
  let said = "";
  while (!said.includes("/mcp")) said += String((await once(child.stderr, "data"))[0]);
  const port = /:(\d+)\/mcp/.exec(said)?.[1];
  const second = serve(join(dir.path, "b"), ["--listen", `127.0.0.1:${port}`]);
  const ended = once(second, "exit");
  expect(await text(second.stderr)).toContain("the port is taken");
  expect((await ended)[0]).toBe(1);
  child.kill("SIGTERM");
  expect((await exited)[0]).toBe(0);
});

test("serve over stdio ends with its input, also where that is a file", async () => {
  using dir = folder();
  const child = serve(dir.path, ["--transport", "stdio"]);
  const exited = once(child, "exit");
  expect(await text(child.stderr)).not.toMatch(/agentkeys:|^ +at /m);
  expect((await exited)[0]).toBe(0);
});
