import { grpcStatus, type GrpcStatus, macpErrors } from "../protocol/error-codes.ts";
import { refusalOf, statusOf } from "../protocol/refusal.ts";

export interface RetryOptions {
  /** Further tries after the first. Default: 3. */
  retries?: number;
  /** Milliseconds before the first of them; doubled for each further one. Default: 100. */
  baseMs?: number;
  /** Most milliseconds between two. Default: 2,000. */
  maxMs?: number;
}

export type Backoff = Readonly<Required<RetryOptions>>;

export function toBackoff(retry: RetryOptions | false = {}): Backoff {
  if (retry === false) return { retries: 0, baseMs: 100, maxMs: 2000 };
  return { retries: retry.retries ?? 3, baseMs: retry.baseMs ?? 100, maxMs: retry.maxMs ?? 2000 };
}

/** Milliseconds before try `attempt` + 1, counted from 0. */
export function delayMs({ baseMs, maxMs }: Backoff, attempt: number): number {
  return Math.min(maxMs, baseMs * 2 ** attempt);
}

/**
 * Whether the same call may succeed when it is made again. A refusal changed nothing, so its code alone decides; a
 * call whose answer was lost may have been carried out, so it is repeated only where that does no harm.
 */
export function isRetryable(error: unknown, { idempotent }: { idempotent: boolean }): boolean {
  const refusal = refusalOf(error);
  if (refusal !== undefined) return macpErrors[refusal.code].retry;
  return idempotent && statusOf(error) === grpcStatus.UNAVAILABLE;
}

const final = new Set<GrpcStatus | undefined>([
  undefined,
  grpcStatus.INVALID_ARGUMENT,
  grpcStatus.NOT_FOUND,
  grpcStatus.ALREADY_EXISTS,
  grpcStatus.PERMISSION_DENIED,
  grpcStatus.FAILED_PRECONDITION,
  grpcStatus.OUT_OF_RANGE,
  grpcStatus.UNIMPLEMENTED,
  grpcStatus.UNAUTHENTICATED,
]);

/** Whether a stream that failed so may be opened again: it was cut or fell behind, it was not refused. */
export function isResumable(error: unknown): boolean {
  return !final.has(statusOf(error));
}

/** Waits, and rejects with the signal's reason as soon as it is aborted. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const abort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", abort, { once: true });
  });
}
