import { generateWithUndici } from "./generators/undici.ts";
import { generateWithWrk, hasWrk } from "./generators/wrk.ts";
import type { Generator } from "./load.ts";

/** wrk where it is installed: one that runs on Node costs as much as the server that it measures. */
export async function findGenerator(): Promise<Generator> {
  return (await hasWrk())
    ? { name: "wrk", generate: generateWithWrk }
    : { name: "an undici pool", generate: generateWithUndici };
}
