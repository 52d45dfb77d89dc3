import { createClient, createGuard } from "@agentkeys/core";
import { identity } from "../identity.ts";
import type { Rounds } from "../interleave.ts";
import { spread, type Spread } from "../spread.ts";
import { stubFetch } from "../stub-authority.ts";
import { measureTimings, timed, type Timing } from "../timing.ts";
import { actionResolver, type AgtSdk, invocationOf, policyRules } from "./ai-sdk/agt.ts";

/** What a guarded call costs in this process, in microseconds. */
export interface Overhead {
  readonly timings: Readonly<Record<string, Timing>>;
  /** Guarded minus bare, round by round. */
  readonly added: Readonly<Record<Guarded, Spread>>;
  /** What ours adds by what AGT adds. */
  readonly ratios: Readonly<Record<Exclude<Guarded, "guard.run">, Spread>>;
}

type Guarded = "guard.run" | "AGT, log not full" | "AGT, log full";

/** Entries that AGT's log keeps by default. */
const logSize = 10_000;

const input = { price: 200, dish: "noodles", note: "no coriander, please" };
const pay = (): string => "paid 200";

/**
 * `guard.run` against an authority that answers at once and writes nothing, and AGT's adapter with its record in memory: the same
 * call, in turns, in the same process. What ours then adds for durable records is in the benchmarks.
 */
export async function measureOverhead(
  { AgentMeshClient, GenericFrameworkAdapter }: AgtSdk,
  { calls, ...rounds }: Rounds & { readonly calls: number },
): Promise<Overhead> {
  await using client = createClient({ ...identity, fetch: stubFetch });
  const guard = createGuard<{ pay: { price: number } }>({
    client,
    tools: { pay: { scope: "payment.spend", params: ({ price }) => ({ amount_rmb: price }) } },
  });
  let next = 0;
  const ours = async (): Promise<void> => {
    const said = await guard.run({ tool: "pay", input, callId: `call-${next++}` }, pay);
    if (said.status !== "ran") throw new Error(said.message);
  };
  const agt = (): (() => Promise<void>) => {
    const mesh = AgentMeshClient.create("agent", { policyRules });
    const adapter = new GenericFrameworkAdapter(mesh, { actionResolver });
    return async () => {
      const said = await adapter.run(invocationOf("pay", input), pay);
      if (!said.allowed) throw new Error(said.reason);
    };
  };
  const full = agt();
  for (let i = 0; i < logSize; i++) await full();
  const timings = await measureTimings(
    {
      bare: () => timed(calls, async () => pay()),
      "guard.run": () => timed(calls, ours),
      // A new one for each round.
      "AGT, log not full": () => timed(calls, agt()),
      "AGT, log full": () => timed(calls, full),
    },
    rounds,
  );
  const added = (name: Guarded): number[] =>
    timings[name].rounds.map((value, i) => value - (timings.bare.rounds[i] ?? Number.NaN));
  const ratio = (name: Guarded): Spread => {
    const theirs = added(name);
    return spread(added("guard.run").map((value, i) => value / (theirs[i] ?? Number.NaN)));
  };
  return {
    timings,
    added: {
      "guard.run": spread(added("guard.run")),
      "AGT, log not full": spread(added("AGT, log not full")),
      "AGT, log full": spread(added("AGT, log full")),
    },
    ratios: {
      "AGT, log not full": ratio("AGT, log not full"),
      "AGT, log full": ratio("AGT, log full"),
    },
  };
}
