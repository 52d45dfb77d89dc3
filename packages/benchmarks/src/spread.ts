/** The median over rounds, and where the middle half of the rounds lies. */
export interface Spread {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Nearest rank; NaN of nothing. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1] ?? Number.NaN;
}

export function spread(values: readonly number[]): Spread {
  return {
    value: quantile(values, 0.5),
    low: quantile(values, 0.25),
    high: quantile(values, 0.75),
  };
}

interface Measured {
  /** One value for each round. */
  readonly rounds: readonly number[];
}

/** Subject by baseline, each round by itself, so that a slow minute of the machine cancels out. */
export function ratio(subject: Measured, baseline: Measured): Spread {
  return spread(
    subject.rounds.map((value, round) => value / (baseline.rounds[round] ?? Number.NaN)),
  );
}

/** Subject minus baseline, each round by itself. */
export function difference(subject: Measured, baseline: Measured): Spread {
  return spread(
    subject.rounds.map((value, round) => value - (baseline.rounds[round] ?? Number.NaN)),
  );
}
