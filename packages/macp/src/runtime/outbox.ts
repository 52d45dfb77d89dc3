import { grpcStatus } from "../protocol/error-codes.ts";
import { statusError } from "../protocol/refusal.ts";

/** The receiving end of a stream as a transport gives it. */
export interface Downstream<T> {
  /** False = taken, and nothing more until `onDrain`. */
  write(message: T): boolean;
  /** Says that the call has begun: a client may wait for that before it says more, and no message may come for long. */
  ready(): void;
  end(): void;
  /** Ends the stream with an error of `statusError`. */
  fail(error: Error): void;
  onDrain(listener: () => void): void;
  /** Once, however the stream ends. */
  onClose(listener: () => void): void;
}

/** How long a receiver may be behind by more than its capacity, ms: one commit can tell it of hundreds of messages at once. */
const GRACE = 1_000;
/** Times its capacity that a receiver may be behind even so. */
const BURST = 16;

/**
 * Messages between a source that does not wait and a receiver that may be slow. A receiver that stays behind by more than
 * `capacity` loses its stream with RESOURCE_EXHAUSTED: it then knows that it missed something.
 */
export class Outbox<T> {
  readonly #down: Downstream<T>;
  readonly #capacity: number;
  readonly #waiting: T[] = [];
  #full = false;
  #ending = false;
  #closed = false;
  #late: NodeJS.Timeout | undefined;
  #replay: { next(): T | undefined; live(): void } | undefined;

  constructor(down: Downstream<T>, capacity: number) {
    this.#down = down;
    this.#capacity = capacity;
    down.onDrain(() => this.release());
    down.onClose(() => this.#close());
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Takes messages and delivers none until `release`. */
  hold(): void {
    this.#full = true;
  }

  release(): void {
    this.#full = false;
    this.#flush();
  }

  push(item: T): void {
    if (this.#closed || this.#ending) return;
    const direct = !this.#full && this.#replay === undefined && this.#waiting.length === 0;
    if (direct) {
      this.#full = !this.#down.write(item);
      return;
    }
    const behind = this.#waiting.push(item);
    if (behind > this.#capacity * BURST) this.#lagged();
    else if (behind > this.#capacity)
      this.#late ??= setTimeout(() => this.#lagged(), GRACE).unref();
  }

  #lagged(): void {
    const message = `the receiver is more than ${this.#capacity} messages behind`;
    this.fail(statusError({ status: grpcStatus.RESOURCE_EXHAUSTED, message }));
  }

  /**
   * Fills the stream from a source as fast as the receiver takes it; `next` gives undefined at its end, and `live` runs in
   * the same tick. What is pushed meanwhile comes after it.
   */
  replay(next: () => T | undefined, live: () => void): void {
    this.#replay = { next, live };
    this.#flush();
  }

  /** After everything that was pushed. */
  end(): void {
    this.#ending = true;
    this.#flush();
  }

  fail(error: Error): void {
    if (this.#closed) return;
    this.#close();
    this.#down.fail(error);
  }

  #flush(): void {
    while (!this.#full && !this.#closed && this.#replay !== undefined) {
      const { next, live } = this.#replay;
      const item = next();
      if (item !== undefined) {
        this.#full = !this.#down.write(item);
        continue;
      }
      this.#replay = undefined;
      live();
    }
    if (this.#closed || this.#replay !== undefined) return;
    while (!this.#full && this.#waiting.length > 0) {
      this.#full = !this.#down.write(this.#waiting.shift() as T);
    }
    if (this.#waiting.length <= this.#capacity) this.#inTime();
    if (!this.#ending || this.#waiting.length > 0) return;
    this.#close();
    this.#down.end();
  }

  #inTime(): void {
    clearTimeout(this.#late);
    this.#late = undefined;
  }

  #close(): void {
    this.#inTime();
    this.#closed = true;
    this.#waiting.length = 0;
    this.#replay = undefined;
  }
}
