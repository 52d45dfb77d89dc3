import { AgentKeysError } from "@agentkeys/contract";
import { grpcStatus } from "../protocol/error-codes.ts";
import { statusError, statusOf } from "../protocol/refusal.ts";
import type { Log } from "./log.ts";
import { type Backoff, delayMs, isResumable, pause } from "./retry.ts";

export interface ResumeOptions {
  /** For the log. */
  readonly name: string;
  readonly backoff: Backoff;
  /** False: the first cut is the end. Default: true. */
  readonly resume?: boolean;
  /** Ends the iteration with its reason. */
  readonly signal: AbortSignal | undefined;
  /** Ends the iteration without an error: the client is closed. */
  readonly closed: AbortSignal;
  readonly log: Log;
}

/** A message, or the news that the stream was cut and opened again: what happened between may be missing. */
export type Step<T> =
  | { readonly message: T }
  | { readonly message?: never; readonly cut: AgentKeysError | undefined };

/**
 * The messages of a stream that is opened again whenever it is cut. The first one is opened at once. A runtime that
 * was never reached is given up after `backoff.retries`; one that was is waited for until the signal or the client ends it.
 */
export function resumed<T>(
  open: () => AsyncIterable<T>,
  options: ResumeOptions,
): AsyncGenerator<Step<T>, void> {
  return run(open(), open, options);
}

async function* run<T>(
  first: AsyncIterable<T>,
  open: () => AsyncIterable<T>,
  { name, backoff, resume = true, signal, closed, log }: ResumeOptions,
): AsyncGenerator<Step<T>, void> {
  let reached = false;
  let failures = 0;
  for (let stream = first; ; stream = open()) {
    const openedAt = Date.now();
    let cut: AgentKeysError | undefined;
    try {
      for await (const message of stream) {
        reached = true;
        failures = 0;
        yield { message };
      }
    } catch (error) {
      if (closed.aborted) return;
      if (!isResumable(error)) throw error;
      cut = AgentKeysError.from(error);
    }
    if (closed.aborted) return;
    if (!resume) {
      if (cut === undefined) return;
      throw cut;
    }
    // A stream without news is as good as one with.
    if (Date.now() - openedAt >= backoff.maxMs) {
      reached = true;
      failures = 0;
    }
    if (!reached && failures >= backoff.retries) throw cut ?? ended(name);
    log({
      level: "warn",
      message: "stream cut",
      fields: { name, status: statusOf(cut) ?? -1, failures },
    });
    await waited(delayMs(backoff, failures++), signal, closed);
    if (closed.aborted) return;
    yield { cut };
  }
}

const ended = (name: string): AgentKeysError =>
  statusError({ status: grpcStatus.UNAVAILABLE, message: `${name}: the stream ended` });

/** A pause that the client's end cuts short. */
async function waited(
  ms: number,
  signal: AbortSignal | undefined,
  closed: AbortSignal,
): Promise<void> {
  const either = signal === undefined ? closed : AbortSignal.any([signal, closed]);
  try {
    await pause(ms, either);
  } catch (error) {
    if (!closed.aborted) throw error;
  }
}
