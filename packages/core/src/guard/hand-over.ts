import { Alarm, type Due } from "../transport/alarm.ts";
import type { Begun, Executed } from "./decision.ts";
import type { Outcome } from "./guard-surface.ts";
import { sameJson } from "../json/same-json.ts";
import type { Sealed } from "./seal-call.ts";
import type { Wire } from "../transport/wire.ts";

/** How long the tool object may take to come for a decision of the seam, in milliseconds. */
const lapseMs = 60_000;

/** What a seam may hand over. */
export type Decided = Begun | Executed;

/**
 * Decisions of a framework's seam that wait for the tool object. Each is for one use; it lapses after a minute or with the run,
 * and then the record says that nothing ran.
 */
export class HandOvers {
  readonly #kept = new Map<string, Kept[]>();
  readonly #lapses = new Alarm({ keepsAlive: false });
  readonly #wire: Wire;

  constructor(wire: Wire) {
    this.#wire = wire;
    wire.onClose(() => this.#lapses.expire(Infinity));
  }

  /**
   * Gives what the seam calls when it saw the end itself; it does nothing once the decision was taken or has lapsed. undefined:
   * nobody could ask for this call, because it has no id.
   */
  keep(sealed: Sealed, decided: Decided): ((outcome: Outcome) => Promise<void>) | undefined {
    const key = keyOf(sealed);
    if (key === undefined) return undefined;
    const kept = new Kept(sealed, decided, () => {
      if (this.#remove(key, kept)) this.#wire.background(endOf(decided, "not_run"));
    });
    const waiting = this.#kept.get(key);
    if (waiting === undefined) this.#kept.set(key, [kept]);
    else waiting.push(kept);
    this.#lapses.add(kept);
    return async (outcome) => {
      if (this.#remove(key, kept)) await endOf(decided, outcome);
    };
  }

  /** The oldest decision on this call with this very input, used up. */
  take(sealed: Sealed): Decided | undefined {
    const key = this.#kept.size === 0 ? undefined : keyOf(sealed);
    if (key === undefined) return undefined;
    const kept = this.#kept.get(key)?.find((one) => one.isFor(sealed));
    return kept !== undefined && this.#remove(key, kept) ? kept.decided : undefined;
  }

  #remove(key: string, kept: Kept): boolean {
    const waiting = this.#kept.get(key);
    const at = waiting?.indexOf(kept) ?? -1;
    if (waiting === undefined || at < 0) return false;
    kept.settle();
    this.#lapses.delete(kept);
    waiting.splice(at, 1);
    if (waiting.length === 0) this.#kept.delete(key);
    return true;
  }
}

/** One decision that waits. It is told when its time is over, and listens for the abort of its run. */
class Kept implements Due {
  readonly at = performance.now() + lapseMs;
  slot = -1;
  readonly decided: Decided;
  /** Nobody came for it. */
  readonly expire: () => void;
  readonly #sealed: Sealed;

  constructor(sealed: Sealed, decided: Decided, expire: () => void) {
    this.#sealed = sealed;
    this.decided = decided;
    this.expire = expire;
    sealed.signal?.addEventListener("abort", expire, { once: true });
  }

  /** Whether it still holds, and was decided on this very input, in this run as far as both know theirs. */
  isFor({ runKey, input }: Sealed): boolean {
    const own = this.#sealed;
    // A timer may come late where something blocks.
    if (performance.now() >= this.at) return false;
    return sameRun(own.runKey, runKey) && sameJson(own.input?.json, input?.json);
  }

  /** Stops listening. */
  settle(): void {
    this.#sealed.signal?.removeEventListener("abort", this.expire);
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
