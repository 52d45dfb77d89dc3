import { unref } from "./deadline.ts";
import type { Begun, Executed } from "./decision.ts";
import type { Outcome } from "./guard-surface.ts";
import { sameJson } from "./same-json.ts";
import type { Sealed } from "./seal-call.ts";
import type { Wire } from "./wire.ts";

/** How long the tool object may take to come for a decision of the seam, in milliseconds. */
const lapseMs = 60_000;

/** What a seam may hand over. */
export type Decided = Begun | Executed;

interface Kept {
  readonly decided: Decided;
  readonly runKey: string | undefined;
  /** The input that was decided on. */
  readonly json: unknown;
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

  /**
   * Gives what the seam calls when it saw the end itself; it does nothing once the decision was taken or has lapsed. undefined:
   * nobody could ask for this call, because it has no id.
   */
  keep(sealed: Sealed, decided: Decided): ((outcome: Outcome) => Promise<void>) | undefined {
    const { signal, input, runKey } = sealed;
    const key = keyOf(sealed);
    if (key === undefined) return undefined;
    const lapse = (): void => {
      if (this.#remove(key, kept)) this.#wire.background(endOf(decided, "not_run"));
    };
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", lapse);
    };
    const lapsesAt = performance.now() + lapseMs;
    const kept: Kept = { decided, runKey, json: input?.json, lapsesAt, lapse, settle };
    const timer = setTimeout(lapse, lapseMs);
    unref(timer);
    signal?.addEventListener("abort", lapse, { once: true });
    const waiting = this.#kept.get(key);
    if (waiting === undefined) this.#kept.set(key, [kept]);
    else waiting.push(kept);
    return async (outcome) => {
      if (this.#remove(key, kept)) await endOf(decided, outcome);
    };
  }

  /** The oldest decision on this call with this very input, used up. */
  take(sealed: Sealed): Decided | undefined {
    const key = keyOf(sealed);
    const waiting = key === undefined ? undefined : this.#kept.get(key);
    if (key === undefined || waiting === undefined) return undefined;
    const now = performance.now();
    for (const { lapsesAt, lapse } of waiting.slice()) if (lapsesAt <= now) lapse();
    const kept = waiting.find(
      ({ json, runKey }) => sameRun(runKey, sealed.runKey) && sameJson(json, sealed.input?.json),
    );
    return kept !== undefined && this.#remove(key, kept) ? kept.decided : undefined;
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

/** Call ids repeat from run to run, and not every seam knows its run. */
function sameRun(a: string | undefined, b: string | undefined): boolean {
  return a === undefined || b === undefined || a === b;
}

/** Of what has ended before there is no end to record. */
export async function endOf(decided: Decided, outcome: Outcome): Promise<void> {
  if (decided.status === "begun") await decided.end(outcome);
}

/** The length first, so that no two pairs of names spell the same key. */
function keyOf({ tool, callId, input }: Sealed): string | undefined {
  if (callId === undefined || input === undefined) return undefined;
  return `${tool.length}:${tool}${callId}`;
}
