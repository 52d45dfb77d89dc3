import { unref } from "./deadline.ts";
import type { Outcome } from "./guard-surface.ts";
import { sameJson } from "./same-json.ts";
import type { Sealed } from "./seal-call.ts";
import type { Wire } from "./wire.ts";

/** How long the tool object may take to come for a decision of the seam, in milliseconds. */
const lapseMs = 60_000;

export type End = (outcome: Outcome) => Promise<void>;

interface Kept {
  readonly end: End;
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
  keep(sealed: Sealed, end: End): End | undefined {
    const { signal, input } = sealed;
    const key = keyOf(sealed);
    if (key === undefined) return undefined;
    const lapse = (): void => {
      if (this.#remove(key, kept)) this.#wire.background(end("not_run"));
    };
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", lapse);
    };
    const lapsesAt = performance.now() + lapseMs;
    const kept: Kept = { end, json: input?.json, lapsesAt, lapse, settle };
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

  /** The oldest decision on this call with this very input, used up. */
  take(sealed: Sealed): End | undefined {
    const key = keyOf(sealed);
    const waiting = key === undefined ? undefined : this.#kept.get(key);
    if (key === undefined || waiting === undefined) return undefined;
    const now = performance.now();
    for (const { lapsesAt, lapse } of [...waiting]) if (lapsesAt <= now) lapse();
    const kept = waiting.find(({ json }) => sameJson(json, sealed.input?.json));
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

/** The length first, so that no two pairs of names spell the same key. */
function keyOf({ tool, callId, input }: Sealed): string | undefined {
  if (callId === undefined || input === undefined) return undefined;
  return `${tool.length}:${tool}${callId}`;
}
