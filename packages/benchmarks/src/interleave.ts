import { setImmediate } from "node:timers/promises";

export interface Rounds {
  /** Rounds that count. */
  readonly rounds: number;
  /** Rounds before them, thrown away. */
  readonly warmup: number;
}

/** What is measured, by name. A call gives the result of one round. */
export type Subjects<Name extends string, T> = Readonly<Record<Name, () => Promise<T>>>;

/**
 * The results of each subject, round by round. All subjects take part in every round, and every second round goes
 * backwards: what disturbs the machine for a while disturbs all of them.
 */
export async function interleave<Name extends string, T>(
  subjects: Subjects<Name, T>,
  { rounds, warmup }: Rounds,
): Promise<Record<Name, T[]>> {
  const names = Object.keys(subjects) as Name[];
  const results = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<
    Name,
    T[]
  >;
  for (let round = -warmup; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      // A model behind a network lets the event loop turn; a loop of microtasks alone never would.
      await setImmediate();
      const result = await subjects[name]();
      if (round >= 0) results[name].push(result);
    }
  }
  return results;
}
