import type { Guard } from "@agentkeys/core";
import { openAiSdk } from "../frameworks/ai-sdk.ts";
import { openLangChain } from "../frameworks/langchain.ts";
import { type OpenLoop, scriptOf } from "../frameworks/loop.ts";
import { openMastra } from "../frameworks/mastra.ts";
import type { Rounds } from "../interleave.ts";
import type { Reaches } from "../reach.ts";
import { type Finding, type Section, toFinding } from "../report.ts";
import { difference, ratio } from "../spread.ts";
import { measureTimings } from "../timing.ts";

/** Steps of one run of an agent. A conversation grows, so that all runs have the same length. */
const steps = 10;

export interface StepOptions extends Rounds {
  readonly reaches: Reaches;
  /** Runs of the agent in one round. */
  readonly runs: number;
}

/**
 * One step of an agent's loop: tool, model, tool again. First bare beside a guard whose authority answers at once, for
 * what our code adds; then bare beside guards whose authority writes to disk.
 */
export async function measureSteps(options: StepOptions): Promise<Section[]> {
  const sections = [];
  for (const loop of loops) sections.push(await measureAdded(loop, options));
  for (const loop of loops) sections.push(await measureDurable(loop, options));
  return sections;
}

interface Loop {
  readonly framework: string;
  readonly open: OpenLoop;
  readonly aim: { readonly unit: "us" | "x"; readonly most: number };
}

const loops: readonly Loop[] = [
  { framework: "AI SDK", open: openAiSdk, aim: { unit: "us", most: 30 } },
  { framework: "LangChain", open: openLangChain, aim: { unit: "x", most: 1.05 } },
  { framework: "Mastra", open: openMastra, aim: { unit: "x", most: 1.05 } },
];

async function measureAdded(
  { framework, open, aim }: Loop,
  options: StepOptions,
): Promise<Section> {
  const { reaches, runs } = options;
  const timings = await measureTimings(
    {
      bare: () => runRound(open, undefined, runs),
      "guarded, answered at once": () => runRound(open, reaches.stub, runs),
    },
    options,
  );
  const { bare, "guarded, answered at once": guarded } = timings;
  const what = `${framework} step beyond the durable record`;
  const bound = (unit: Finding["unit"]) => unit === aim.unit && { aim: { most: aim.most } };
  return {
    title: `${framework}: one step, beyond the durable record`,
    findings: [
      toFinding({ what, unit: "x", ...ratio(guarded, bare), ...bound("x") }),
      toFinding({ what, unit: "us", ...difference(guarded, bare), ...bound("us") }),
    ],
    timings,
  };
}

async function measureDurable({ framework, open }: Loop, options: StepOptions): Promise<Section> {
  const { reaches, runs } = options;
  const timings = await measureTimings(
    {
      bare: () => runRound(open, undefined, runs),
      "guarded, embedded": () => runRound(open, reaches.embedded, runs),
      "guarded, loopback": () => runRound(open, reaches.loopback, runs),
    },
    options,
  );
  const { bare, "guarded, embedded": embedded, "guarded, loopback": loopback } = timings;
  const what = `${framework} step with two durable records`;
  return {
    title: `${framework}: one step with two durable records`,
    findings: [
      toFinding({ what: `${what}, embedded`, unit: "x", ...ratio(embedded, bare) }),
      toFinding({ what: `${what}, loopback`, unit: "x", ...ratio(loopback, bare) }),
    ],
    timings,
  };
}

/** A fresh agent and some runs of it. A step is the time from one run of the tool to the next, in microseconds. */
async function runRound(open: OpenLoop, guard: Guard | undefined, runs: number): Promise<number[]> {
  const calls = steps + 1;
  const durations: number[] = [];
  let ran: number[] = [];
  const run = open(guard, {
    script: scriptOf(runs, calls),
    turns: calls + 1,
    onCall: () => ran.push(performance.now()),
  });
  for (let i = 0; i < runs; i++) {
    ran = [];
    await run();
    if (ran.length !== calls) throw new Error(`the tool ran ${ran.length} times, not ${calls}`);
    for (const [k, at] of ran.slice(1).entries()) durations.push((at - (ran[k] ?? 0)) * 1000);
  }
  return durations;
}
