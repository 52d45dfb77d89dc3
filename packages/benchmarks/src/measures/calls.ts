import type { Guard } from "@agentkeys/core";
import { Pool } from "undici";
import { openAppendFile } from "../append-file.ts";
import { type Exchange, recordExchanges } from "../exchanges.ts";
import type { Rounds } from "../interleave.ts";
import { order, tool } from "../order.ts";
import { startProgram } from "../program.ts";
import type { Reaches } from "../reach.ts";
import { type Section, toFinding } from "../report.ts";
import { difference, ratio } from "../spread.ts";
import { measureTimings, timed } from "../timing.ts";

export interface CallOptions extends Rounds {
  readonly reaches: Reaches;
  readonly directory: string;
  /** Calls in one round. */
  readonly calls: number;
}

/** `guard.run` alone, beside what it is made of. */
export async function measureCalls(options: CallOptions): Promise<Section[]> {
  return [await inProcess(options), await durable(options)];
}

async function inProcess(options: CallOptions): Promise<Section> {
  // Cheap calls: more of them, for the same weight.
  const calls = options.calls * 10;
  const timings = await measureTimings(
    {
      "bare call": () => timed(calls, async () => execute()),
      "guard.run, answered at once": () => timed(calls, guarded(options.reaches.stub)),
    },
    options,
  );
  const added = difference(timings["guard.run, answered at once"], timings["bare call"]);
  const what = "guard.run, part in process";
  return {
    title: "guard.run: in process",
    findings: [toFinding({ what, unit: "us", ...added })],
    timings,
  };
}

async function durable(options: CallOptions): Promise<Section> {
  const { reaches, calls } = options;
  using file = openAppendFile(options.directory);
  await using server = await startProgram("bare-server");
  const { begin } = await recordExchanges();
  await using roundTrip = openRoundTrip(server.url, begin);
  const append = (): void => file.append();
  const timings = await measureTimings(
    {
      "append and fdatasync": () => timed(calls, append),
      "guard.run, embedded": () => timed(calls, guarded(reaches.embedded)),
      "bare round trip": () => timed(calls, roundTrip.make),
      "bare round trip, then append and fdatasync": () =>
        timed(calls, () => roundTrip.make().then(append)),
      "guard.run, loopback": () => timed(calls, guarded(reaches.loopback)),
    },
    options,
  );
  const embedded = ratio(timings["guard.run, embedded"], timings["append and fdatasync"]);
  const both = timings["bare round trip, then append and fdatasync"];
  const loopback = ratio(timings["guard.run, loopback"], both);
  return {
    title: "guard.run: durable (each call makes two records, over loopback two round trips)",
    findings: [
      toFinding({
        what: "guard.run embedded, by one append and fdatasync",
        unit: "x",
        ...embedded,
        aim: { most: 3 },
      }),
      toFinding({
        what: "guard.run over loopback, by one bare round trip and one append",
        unit: "x",
        ...loopback,
        aim: { most: 2.5 },
      }),
    ],
    timings,
  };
}

function execute(): string {
  return "ordered";
}

function guarded(guard: Guard): () => Promise<void> {
  let calls = 0;
  return async () => {
    calls += 1;
    const outcome = await guard.run(
      { tool: tool.name, input: order, callId: `call-${calls}` },
      execute,
    );
    if (outcome.status !== "ran") throw new Error(outcome.message);
  };
}

interface RoundTrip extends AsyncDisposable {
  make(): Promise<void>;
}

/** As many bytes each way as `guard/begin` has, over undici's own pool. */
function openRoundTrip(url: string, { headers, body, answerBytes }: Exchange): RoundTrip {
  const pool = new Pool(url);
  return {
    async make() {
      const path = `/?bytes=${answerBytes}`;
      const answer = await pool.request({ path, method: "POST", headers, body });
      await answer.body.text();
    },
    [Symbol.asyncDispose]: () => pool.close(),
  };
}
