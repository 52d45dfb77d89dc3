import { AgentKeysError } from "@agentkeys/contract";
import { Alarm, type Due } from "./alarm.ts";
import { unavailable, unreachable } from "./unavailable.ts";

/** Until when an answer counts. One deadline may span several requests. */
export interface Limits {
  /** As `performance.now()` counts. */
  readonly at: number;
  /** The whole span in milliseconds, for the message. */
  readonly ms: number;
  readonly signal?: AbortSignal | undefined;
}

export function limitsOf(ms: number, signal?: AbortSignal): Limits {
  if (!(ms > 0)) {
    throw new AgentKeysError("config_invalid", "timeoutMs: must be a number greater than 0");
  }
  return { at: performance.now() + ms, ms, signal };
}

/** Milliseconds left; 0 or less when it is over. */
export function remaining(limits: Limits): number {
  return limits.at - performance.now();
}

/** The end of somebody's waiting, for who works for them. */
export interface Stop {
  /** Takes the one listener that is told why nobody waits any more, at once if that has happened. */
  onStop(listener: (reason: Error) => void): void;
}

/**
 * Settles as `work` does, or rejects at the deadline with `authority_unavailable`, or with the signal's reason when that aborts.
 * `work` is told in both cases; whether it listens makes no difference to the caller. What else `work` rejects with is an
 * AgentKeysError or becomes one.
 */
export function within<T>(limits: Limits, work: (stop: Stop) => Promise<T>): Promise<T> {
  const { signal } = limits;
  if (signal?.aborted === true) return Promise.reject(reasonOf(signal));
  if (remaining(limits) <= 0) return Promise.reject(late(limits));
  return new Promise((resolve, reject) => {
    const wait = new Wait(limits, reject);
    work(wait).then(
      (value) => {
        wait.over();
        return resolve(value);
      },
      (error: unknown) => {
        wait.over();
        // The signal's reason is the caller's own and passes as it is.
        return reject(signal?.aborted === true ? error : unreachable(error));
      },
    );
  });
}

/** Node's timers are the process's own. Elsewhere they may end with the request in which they were set, so each wait has one. */
const { userAgent = "" } = Object(globalThis.navigator) as { userAgent?: string };
const shared = userAgent.startsWith("Node.js/") ? new Alarm({ keepsAlive: true }) : undefined;

/** One object and no closures: every request has one, and nearly none is ever stopped. */
class Wait implements Stop, Due {
  readonly at: number;
  slot = -1;
  readonly #limits: Limits;
  readonly #reject: (reason: Error) => void;
  readonly #alarm: Alarm;
  #stopped: Error | undefined;
  #tell: ((reason: Error) => void) | undefined;

  constructor(limits: Limits, reject: (reason: Error) => void) {
    this.at = limits.at;
    this.#limits = limits;
    this.#reject = reject;
    this.#alarm = shared ?? new Alarm({ keepsAlive: true });
    this.#alarm.add(this);
    limits.signal?.addEventListener("abort", this, { once: true });
  }

  onStop(listener: (reason: Error) => void): void {
    if (this.#stopped === undefined) this.#tell = listener;
    else listener(this.#stopped);
  }

  handleEvent(): void {
    this.#stop(reasonOf(this.#limits.signal));
  }

  expire(): void {
    this.#stop(late(this.#limits));
  }

  over(): void {
    this.#alarm.delete(this);
    this.#limits.signal?.removeEventListener("abort", this);
  }

  #stop(reason: Error): void {
    this.#stopped = reason;
    this.over();
    this.#reject(reason);
    this.#tell?.(reason);
  }
}

/** Resolves after `ms`, or at once when the signal aborts. */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done, { once: true });
  });
}

/** Aborts as soon as one of them does. */
export function eitherOf(
  a: AbortSignal | undefined,
  b: AbortSignal | undefined,
): AbortSignal | undefined {
  return a !== undefined && b !== undefined ? AbortSignal.any([a, b]) : (a ?? b);
}

function late({ ms }: Limits): AgentKeysError {
  return unavailable(`no answer within ${Math.round(ms)} ms`);
}

function reasonOf(signal: AbortSignal | undefined): Error {
  return signal?.reason as Error;
}
