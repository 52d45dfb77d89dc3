import { AgentKeysError } from "@agentkeys/contract";

export interface Replays {
  /**
   * Runs a write once per (by, key): the same digest again gets the same answer, also while the first is under way; another one is
   * `conflict`. A write that failed is forgotten and may be tried again.
   */
  once(
    write: { by: string; key: string; digest: string },
    run: () => Promise<string>,
  ): Promise<string>;
}

interface Known {
  readonly digest: string;
  readonly answer: Promise<string>;
}

/** In memory: the latest `limit` keys, gone with the process. */
export function createReplays(limit = 10_000): Replays {
  const known = new Map<string, Known>();
  return {
    once({ by, key, digest }, run) {
      const id = JSON.stringify([by, key]);
      const earlier = known.get(id);
      if (earlier !== undefined) {
        if (earlier.digest === digest) return earlier.answer;
        throw new AgentKeysError("conflict", "this Idempotency-Key was used for another call");
      }
      const answer = run();
      known.set(id, { digest, answer });
      answer.catch(() => known.delete(id));
      const oldest = known.size > limit ? known.keys().next() : undefined;
      if (oldest?.done === false) known.delete(oldest.value);
      return answer;
    },
  };
}
