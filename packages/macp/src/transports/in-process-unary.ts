import type { CallOptions } from "../client/transport.ts";
import { grpcStatus } from "../protocol/error-codes.ts";
import { statusError } from "../protocol/refusal.ts";

/** The answer, unless the caller's signal or deadline comes first. The runtime goes on with what it began. */
export async function settle<T>(answer: T | Promise<T>, options: CallOptions): Promise<T> {
  const { signal, timeoutMs } = options;
  if (!(answer instanceof Promise) || (signal === undefined && timeoutMs === undefined)) {
    return answer;
  }
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(signal?.reason as Error);
    const timer = timeoutMs === undefined ? undefined : setTimeout(late, timeoutMs);
    signal?.addEventListener("abort", abort);
    answer.then(resolve, reject).finally(() => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    });
    function late(): void {
      const message = `no answer within ${timeoutMs} ms`;
      reject(statusError({ status: grpcStatus.DEADLINE_EXCEEDED, message }));
    }
  });
}
