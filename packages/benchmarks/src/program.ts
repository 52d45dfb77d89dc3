import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface Program extends AsyncDisposable {
  /** Where it listens. */
  readonly url: string;
}

/**
 * Starts a program of this package in its own process and waits for the url that it prints. It ends with its standard
 * input, so that it never outlives this process.
 */
export async function startProgram(name: string, ...args: readonly string[]): Promise<Program> {
  const child = spawn(process.execPath, programArguments(name, args), {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  const [line] = (await Promise.race([
    once(createInterface({ input: child.stdout }), "line"),
    ended.then(([code]) => {
      throw new Error(`${name} ended with ${String(code)} before it listened`);
    }),
  ])) as [string];
  const { url } = JSON.parse(line) as { url: string };
  return {
    url,
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await ended;
    },
  };
}

/** Arguments for `node`. Workspace packages are taken from their source, as by this process itself. */
export function programArguments(name: string, args: readonly string[]): string[] {
  const file = fileURLToPath(new URL(`programs/${name}.ts`, import.meta.url));
  return ["--conditions=@agentkeys/source", file, ...args];
}
