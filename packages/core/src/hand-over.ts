import { unref } from "./deadline.ts";
import type { Outcome } from "./guard-surface.ts";
import type { Wire } from "./wire.ts";

/** How long the tool object may take to come for a decision of the seam, in milliseconds. */
const lapseMs = 60_000;

export type End = (outcome: Outcome) => Promise<void>;

interface Kept {
  readonly end: End;
  /** As `performance.now()` counts: a timer may come late where something blocks. */
  readonly lapsesAt: number;
  /** Nobody came for it. */
  readonly lapse: () => void;
  /** Stops timer and listener. */
  readonly settle: () => void;
}

/**
 * Decisions of a framework's seam that wait for the tool object. Each is for one use; it lapses after a minute or with the run,
 * and then the record says that nothing ran.
 */
export class HandOvers {
  readonly #kept = new Map<string, Kept[]>();
  readonly #wire: Wire;

  constructor(wire: Wire) {
    this.#wire = wire;
    wire.onClose(() => this.#lapseAll());
  }

  /** What the seam calls when it saw the end itself; does nothing once the decision was taken or has lapsed. */
  keep(key: string, end: End, signal: AbortSignal | undefined): End {
    const lapse = (): void => {
      if (this.#remove(key, kept)) this.#wire.background(end("not_run"));
    };
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", lapse);
    };
    const kept: Kept = { end, lapsesAt: performance.now() + lapseMs, lapse, settle };
    const timer = setTimeout(lapse, lapseMs);
    unref(timer);
    signal?.addEventListener("abort", lapse, { once: true });
    const waiting = this.#kept.get(key);
    if (waiting === undefined) this.#kept.set(key, [kept]);
    else waiting.push(kept);
    return async (outcome) => {
      if (this.#remove(key, kept)) await end(outcome);
    };
  }

  /** The oldest decision under this key, used up. */
  take(key: string): End | undefined {
    const now = performance.now();
    const late = this.#kept.get(key)?.filter(({ lapsesAt }) => lapsesAt <= now) ?? [];
    for (const { lapse } of late) lapse();
    const kept = this.#kept.get(key)?.[0];
    return kept !== undefined && this.#remove(key, kept) ? kept.end : undefined;
  }

  #lapseAll(): void {
    for (const { lapse } of [...this.#kept.values()].flat()) lapse();
  }

  #remove(key: string, kept: Kept): boolean {
    const waiting = this.#kept.get(key);
    const at = waiting?.indexOf(kept) ?? -1;
    if (waiting === undefined || at < 0) return false;
    kept.settle();
    waiting.splice(at, 1);
    if (waiting.length === 0) this.#kept.delete(key);
    return true;
  }
}
