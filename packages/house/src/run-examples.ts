import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { repositoryRoot } from "./repository.ts";

/** How one example ended. `seconds` is wall time; `output` is both streams, in the order they came. */
interface Outcome {
  readonly name: string;
  readonly ok: boolean;
  readonly seconds: number;
  readonly output: string;
}

const deadlineMs = 120_000;

/**
 * Examples assert and exit 0 without a key: a key of whoever runs them must not change what is
 * tested, or be spent.
 */
const { ANTHROPIC_API_KEY: _, OPENAI_API_KEY: __, ...environment } = process.env;

function runExample(folder: string, name: string): Promise<Outcome> {
  const started = performance.now();
  const child = spawn(process.execPath, ["--conditions=@agentkeys/source", "main.ts"], {
    cwd: join(folder, name),
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: deadlineMs,
    killSignal: "SIGKILL",
  });
  let output = "";
  const collect = (chunk: Buffer): void => {
    output += chunk.toString("utf8");
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  return new Promise((settle) => {
    const end = (ok: boolean): void => {
      settle({ name, ok, output, seconds: (performance.now() - started) / 1000 });
    };
    child.on("error", () => end(false));
    child.on("close", (code) => end(code === 0));
  });
}

/** Every folder of `folder` that is a package; one without a main.ts fails, so none is skipped unseen. */
const folder = resolve(process.argv[2] ?? join(repositoryRoot, "examples"));
const names = readdirSync(folder).filter((name) => existsSync(join(folder, name, "package.json")));
const width = Math.max(0, ...names.map((name) => name.length));

let failed = 0;
for (const name of names) {
  const { ok, seconds, output } = await runExample(folder, name);
  console.log(
    `${ok ? "ok    " : "FAILED"}  ${name.padEnd(width)}  ${seconds.toFixed(1).padStart(5)} s`,
  );
  if (ok) continue;
  failed += 1;
  console.log(output.replaceAll(/^/gm, "        "));
}
console.log(`examples: ${names.length - failed} passed, ${failed} failed`);
if (failed > 0 || names.length === 0) process.exitCode = 1;
