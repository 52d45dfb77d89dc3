import { isAborted } from "../guard/decision.ts";
import type { Wire } from "../transport/wire.ts";
import { withdraw } from "./withdraw.ts";

/** Where the feed is silent the authority is asked anyway: after so many milliseconds, then at twice the distance, up to the last. */
const lookMs = { first: 1000, last: 15_000 };

/** Why a wait went on, or ended. */
export type News = "look" | "late" | "aborted" | "closed";

/** Until when somebody waits. */
export interface Patience {
  readonly ms: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * One connection to the authority's feed for all calls that wait for a person. It only says when to look: what was decided is
 * answered by `guard/begin`, so a feed that hangs, is cut or lies costs time and nothing else.
 */
export class ApprovalFeed {
  readonly #wire: Wire;
  readonly #waiters = new Set<Waiter>();
  #stop: AbortController | undefined;

  constructor(wire: Wire) {
    this.#wire = wire;
    wire.onClose(() => this.#close());
  }

  join(approval: string, patience: Patience): Waiter {
    const waiter = new Waiter(approval, patience, () => this.#leave(waiter));
    this.#waiters.add(waiter);
    if (this.#stop === undefined) this.#listen();
    return waiter;
  }

  #listen(): void {
    const stop = new AbortController();
    this.#stop = stop;
    const lookAll = (): void => {
      for (const waiter of this.#waiters) waiter.tell("look");
    };
    const listen = async (): Promise<void> => {
      const { signal } = stop;
      for await (const { id, status } of this.#wire.watch({ signal, onReady: lookAll })) {
        if (status === "pending") continue;
        for (const waiter of this.#waiters) if (waiter.approval === id) waiter.tell("look");
      }
    };
    const over = (): void => {
      if (this.#stop === stop) this.#stop = undefined;
    };
    // Without a feed there is still the looking; whoever comes next tries again.
    listen().then(over, over);
  }

  #leave(waiter: Waiter): void {
    this.#waiters.delete(waiter);
    if (this.#waiters.size > 0) return;
    this.#stop?.abort();
    this.#stop = undefined;
  }

  #close(): void {
    for (const waiter of this.#waiters) {
      this.#wire.background(withdraw(this.#wire, waiter.approval));
      waiter.tell("closed");
    }
    this.#stop?.abort();
  }
}

/** One call that waits. What is told while nobody listens is kept for the next time. */
export class Waiter {
  approval: string;
  readonly leave: () => void;
  readonly #until: number;
  readonly #signal: AbortSignal | undefined;
  #told: News | undefined;
  #wake: (() => void) | undefined;
  #look = lookMs.first;

  constructor(approval: string, { ms, signal }: Patience, leave: () => void) {
    this.approval = approval;
    this.leave = leave;
    this.#until = performance.now() + ms;
    this.#signal = signal;
  }

  tell(news: News): void {
    if (this.#told !== "closed") this.#told = news;
    this.#wake?.();
  }

  /** Looks again soon: the last look was no answer. */
  hurry(): void {
    this.#look = lookMs.first;
  }

  async next(): Promise<News> {
    const left = this.#until - performance.now();
    if (this.#told === undefined && left > 0 && !isAborted(this.#signal)) await this.#sleep(left);
    const told = this.#told;
    this.#told = undefined;
    if (told === "closed") return told;
    if (isAborted(this.#signal)) return "aborted";
    return performance.now() >= this.#until ? "late" : "look";
  }

  #sleep(left: number): Promise<void> {
    const look = this.#look;
    this.#look = Math.min(look * 2, lookMs.last);
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#signal?.removeEventListener("abort", done);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(done, Math.ceil(Math.min(left, look)));
      this.#signal?.addEventListener("abort", done, { once: true });
      this.#wake = done;
    });
  }
}
