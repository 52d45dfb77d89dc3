import type { Guard } from "@agentkeys/core";
import type { Script } from "@agentkeys/testing";
import { order, tool } from "../order.ts";

/** An agent of one framework with a scripted model and the one tool, bare or under a guard. */
export type OpenLoop = (guard: Guard | undefined, options: LoopOptions) => RunAgent;

export interface LoopOptions {
  readonly script: Script;
  /** Most turns of the model in one run. */
  readonly turns: number;
  /** What the tool does; its result is a constant. */
  readonly onCall: () => void;
}

/** One run from a prompt to the model's last word. */
export type RunAgent = () => Promise<unknown>;

/** The script of `runs` runs in a row, each of `calls` calls and a last word. */
export function scriptOf(runs: number, calls: number): Script {
  const turn = [{ name: tool.name, input: order }];
  const run = [...Array.from({ length: calls }, () => turn), "done"];
  return Array.from({ length: runs }, () => run).flat();
}
