import { grpcStatus } from "../../protocol/error-codes.ts";
import { statusError } from "../../protocol/refusal.ts";

interface Pending {
  /** Of `performance.now`. */
  readonly until: number;
  /** ms that it had. */
  readonly bound: number;
  readonly answer: (error: unknown) => void;
  /** Its place in the list; -1 once it is answered. */
  at: number;
}

export interface PendingCalls {
  /** Answers when the promise settles, or when it takes too long; `timeout` in ms where the call has one of its own. */
  wait<T>(
    settled: Promise<T>,
    answer: (error: unknown, value?: T) => void,
    timeout?: number,
  ): Promise<void>;
}

/** Between two looks for calls that take too long, ms. */
const LOOK_EVERY = 1_000;

/**
 * Calls that wait for what makes their answer durable. One timer for all of them: a timer for each costs as much as judging the
 * message, and a bound of seconds need not be exact.
 */
export function createPendingCalls(most: number): PendingCalls {
  // Not a Set: those leave tables behind that keep what was in them until the next full collection.
  const pending: Pending[] = [];
  let timer: NodeJS.Timeout | undefined;
  const begin = (bound: number, answer: Pending["answer"]): Pending => {
    const call = { until: performance.now() + bound, bound, answer, at: pending.length };
    pending.push(call);
    timer ??= setInterval(look, Math.min(LOOK_EVERY, most)).unref();
    return call;
  };
  /** False when it was answered before. */
  const end = (call: Pending): boolean => {
    const { at } = call;
    const last = pending.at(-1);
    if (at === -1 || last === undefined) return false;
    pending[at] = last;
    last.at = at;
    pending.pop();
    call.at = -1;
    return true;
  };
  function look(): void {
    const now = performance.now();
    for (const call of pending.filter(({ until }) => until <= now)) {
      end(call);
      const message = `no answer within ${call.bound} ms`;
      call.answer(statusError({ status: grpcStatus.DEADLINE_EXCEEDED, message }));
    }
    if (pending.length > 0) return;
    clearInterval(timer);
    timer = undefined;
  }
  return {
    wait(settled, answer, timeout = most) {
      const call = begin(Math.min(timeout, most), answer);
      return settled.then(
        (value) => void (end(call) && answer(undefined, value)),
        (error: unknown) => void (end(call) && answer(error)),
      );
    },
  };
}
