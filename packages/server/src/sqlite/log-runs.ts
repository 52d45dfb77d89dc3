/**
 * Indexes over the log are filled in runs, each when its last record is written, in that transaction: what is written with every
 * record is the record alone. What the last run does not hold yet is looked for in the log itself.
 */
interface LogRuns {
  /** Records of one run: the first begins at 0, and 0 is no record. */
  readonly size: number;
  /** Fills in the run that ends with record :last. */
  readonly fill: string;
}

/**
 * Records by their hash. Hashes are random, and one index over all of them would rewrite a page for every record, so each run is one
 * of its own: a look-up costs about a microsecond per run, the newest first.
 */
export const hashRuns = {
  size: 2048,
  fill: `
    INSERT INTO log_runs (run, prefix, seq)
    SELECT seq / 2048, substr(hash, 1, 6), seq FROM log WHERE seq > :last - 2048 AND seq <= :last ORDER BY 2, 3`,
} as const satisfies LogRuns;

/**
 * Records by the call that they are about; the shortest runs, of which the others' size is a multiple. Begin ids that grow with time
 * fill one page after the other.
 */
export const callRuns = {
  size: 128,
  fill: `
    INSERT INTO calls (begin_id, intent_seq, outcome_seq)
    SELECT begin_id, iif(outcome IS NULL, seq, NULL), iif(outcome IS NULL, NULL, seq) FROM log
    WHERE seq > :last - 128 AND seq <= :last AND begin_id IS NOT NULL ORDER BY seq
    ON CONFLICT DO UPDATE SET outcome_seq = excluded.outcome_seq`,
} as const satisfies LogRuns;
