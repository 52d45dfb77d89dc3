/** Something that ends at a moment, as `performance.now()` counts. */
export interface Due {
  readonly at: number;
  /** The alarm's own: where it stands there, -1 = nowhere. */
  slot: number;
  /** Called once, when it has been late; it is no longer in the alarm then. */
  expire(): void;
}

/** Outside Node it is a number, and has none of these. */
type Timer = ReturnType<typeof setTimeout> & { ref?(): void; unref?(): void };

/** The longest delay that timers take, in milliseconds. */
const longest = 2 ** 31 - 1;

/**
 * One timer for many that wait. Nearly nothing that waits is ever late, so the timer is left standing when the first of them is
 * done, for the next; setting and clearing one for each costs more than the rest of the waiting.
 */
export class Alarm {
  /** In no order, so that who leaves is replaced by the last: a Set is made anew again and again under such traffic. */
  readonly #waiting: Due[] = [];
  readonly #keepsAlive: boolean;
  #timer: Timer | undefined;
  #ringsAt = Infinity;
  #setBy: typeof setTimeout | undefined;

  /** `keepsAlive`: the process does not end while somebody waits. */
  constructor({ keepsAlive }: { keepsAlive: boolean }) {
    this.#keepsAlive = keepsAlive;
  }

  add(due: Due): void {
    due.slot = this.#waiting.push(due) - 1;
    // Whoever puts fake timers in place takes them away again, and those that were set with them.
    const replaced = this.#setBy !== setTimeout;
    if (due.at < this.#ringsAt || replaced) this.#set(Math.min(due.at, this.#ringsAt));
    else if (this.#keepsAlive && this.#waiting.length === 1) this.#timer?.ref?.();
  }

  /** Whether it was still waiting. */
  delete(due: Due): boolean {
    const { slot } = due;
    const last = slot < 0 ? undefined : this.#waiting.pop();
    if (last === undefined) return false;
    if (last !== due) {
      this.#waiting[slot] = last;
      last.slot = slot;
    }
    due.slot = -1;
    if (this.#waiting.length === 0) this.#release();
    return true;
  }

  /** All that are late at a moment. */
  expire(now: number): void {
    let next = Infinity;
    for (const due of this.#waiting.slice()) {
      if (due.at > now) next = Math.min(next, due.at);
      else if (this.delete(due)) due.expire();
    }
    this.#set(next);
  }

  #set(at: number): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#ringsAt = at;
    if (at === Infinity) return;
    const delay = Math.min(Math.max(Math.ceil(at - performance.now()), 1), longest);
    this.#setBy = setTimeout;
    this.#timer = setTimeout(() => this.expire(performance.now()), delay) as Timer;
    if (!this.#keepsAlive) this.#timer.unref?.();
  }

  /** A timer that cannot be let go of is not left standing. */
  #release(): void {
    if (this.#timer?.unref === undefined) this.#set(Infinity);
    else this.#timer.unref();
  }
}
