import { AgentKeysError } from "@agentkeys/contract";
import { unavailable } from "./unavailable.ts";

/** Until when an answer counts. One deadline may span several requests. */
export interface Limits {
  /** As `performance.now()` counts. */
  readonly at: number;
  /** The whole span in milliseconds, for the message. */
  readonly ms: number;
  readonly signal?: AbortSignal | undefined;
}

/** The longest delay that timers take. */
const longest = 2 ** 31 - 1;

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

/** Takes the one listener that is told why nobody waits any more, at once if that has happened. */
export type OnStop = (listener: (reason: Error) => void) => void;

/**
 * Settles as `work` does, or rejects at the deadline with `authority_unavailable`, or with the signal's reason when that aborts.
 * `work` is told in both cases; whether it listens makes no difference to the caller.
 */
export function within<T>(limits: Limits, work: (onStop: OnStop) => Promise<T>): Promise<T> {
  const { signal } = limits;
  if (signal?.aborted === true) return Promise.reject(reasonOf(signal));
  const left = remaining(limits);
  if (left <= 0) return Promise.reject(late(limits));
  return new Promise((resolve, reject) => {
    const wait = new Wait(limits, left, reject);
    work(wait.onStop).then(
      (value) => {
        wait.over();
        return resolve(value);
      },
      (error: unknown) => {
        wait.over();
        return reject(error);
      },
    );
  });
}

/** One object and no closures: every request has one, and nearly none is ever stopped. */
class Wait {
  readonly #limits: Limits;
  readonly #reject: (reason: Error) => void;
  readonly #timer: ReturnType<typeof setTimeout>;
  #stopped: Error | undefined;
  #tell: ((reason: Error) => void) | undefined;

  constructor(limits: Limits, left: number, reject: (reason: Error) => void) {
    this.#limits = limits;
    this.#reject = reject;
    // Whole milliseconds: timers of one length share a list.
    this.#timer = setTimeout(expire, Math.min(Math.ceil(left), longest), this);
    limits.signal?.addEventListener("abort", this, { once: true });
  }

  readonly onStop: OnStop = (listener) => {
    if (this.#stopped === undefined) this.#tell = listener;
    else listener(this.#stopped);
  };

  handleEvent(): void {
    this.#stop(reasonOf(this.#limits.signal));
  }

  expire(): void {
    this.#stop(late(this.#limits));
  }

  over(): void {
    clearTimeout(this.#timer);
    this.#limits.signal?.removeEventListener("abort", this);
  }

  #stop(reason: Error): void {
    this.#stopped = reason;
    this.over();
    this.#reject(reason);
    this.#tell?.(reason);
  }
}

function expire(wait: Wait): void {
  wait.expire();
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

/** Timers are numbers outside Node. */
export function unref(timer: unknown): void {
  (timer as { unref?: () => void }).unref?.();
}

function late({ ms }: Limits): AgentKeysError {
  return unavailable(`no answer within ${Math.round(ms)} ms`);
}

function reasonOf(signal: AbortSignal | undefined): Error {
  return signal?.reason as Error;
}
