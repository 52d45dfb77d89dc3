import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Answered, Load } from "../load.ts";
import { programArguments } from "../program.ts";

const run = promisify(execFile);

export async function generateWithUndici(load: Load): Promise<Answered> {
  const { stdout } = await run(
    process.execPath,
    programArguments("undici-load", [JSON.stringify(load)]),
  );
  return JSON.parse(stdout) as Answered;
}
