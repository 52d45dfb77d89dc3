import { interleave, type Rounds, type Subjects } from "./interleave.ts";
import { quantile } from "./spread.ts";

/** Durations of one subject, in microseconds. */
export interface Timing {
  readonly p50: number;
  readonly p99: number;
  readonly samples: number;
  /** The median of each round, in order: what comparisons are made of. */
  readonly rounds: readonly number[];
}

/** Subjects that give the microseconds of each operation of a round. */
export async function measureTimings<Name extends string>(
  subjects: Subjects<Name, readonly number[]>,
  rounds: Rounds,
): Promise<Record<Name, Timing>> {
  const results = await interleave(subjects, rounds);
  const timings = Object.entries<(readonly number[])[]>(results).map(([name, durations]) => {
    const all = durations.flat();
    return [
      name,
      {
        p50: quantile(all, 0.5),
        p99: quantile(all, 0.99),
        samples: all.length,
        rounds: durations.map((round) => quantile(round, 0.5)),
      },
    ];
  });
  return Object.fromEntries(timings) as Record<Name, Timing>;
}

/** Runs `operation` again and again; the microseconds that each run took. */
export async function timed(
  count: number,
  operation: () => Promise<unknown> | void,
): Promise<number[]> {
  const durations: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    await operation();
    durations.push((performance.now() - start) * 1000);
  }
  return durations;
}
