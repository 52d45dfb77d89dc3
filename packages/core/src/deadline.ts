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
    let stopped: Error | undefined;
    let tell: ((reason: Error) => void) | undefined;
    const stop = (reason: Error): void => {
      stopped = reason;
      settle();
      reject(reason);
      tell?.(reason);
    };
    const onAbort = (): void => stop(reasonOf(signal));
    // Whole milliseconds: timers of one length share a list.
    const timer = setTimeout(() => stop(late(limits)), Math.min(Math.ceil(left), longest));
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    const onStop: OnStop = (listener) => {
      if (stopped === undefined) tell = listener;
      else listener(stopped);
    };
    work(onStop).then(
      (value) => {
        settle();
        return resolve(value);
      },
      (error: unknown) => {
        settle();
        return reject(error);
      },
    );
  });
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
