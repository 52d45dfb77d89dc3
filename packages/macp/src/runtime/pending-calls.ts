import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { sendUnaryData } from "@grpc/grpc-js";
import { grpcStatus } from "../protocol/error-codes.ts";
import { statusError } from "../protocol/refusal.ts";

type Message = MessageShape<DescMessage>;
type Answer = sendUnaryData<Message>;

interface Pending {
  readonly since: number;
  readonly answer: Answer;
}

/** Between two looks for calls that take too long, ms. */
const LOOK_EVERY = 1_000;

/**
 * Calls that wait for what makes their answer durable. One timer for all of them: a timer for each costs as much as judging the
 * message, and a bound of seconds need not be exact.
 */
export function createPendingCalls(timeout: number, toError: (error: unknown) => object) {
  // In the order of their coming, so the first is the oldest.
  const pending = new Set<Pending>();
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    const latest = performance.now() - timeout;
    for (const call of pending) {
      if (call.since > latest) return;
      pending.delete(call);
      const message = `no answer within ${timeout} ms`;
      const error = statusError({ status: grpcStatus.DEADLINE_EXCEEDED, message });
      call.answer(toError(error));
    }
    clearInterval(timer);
    timer = undefined;
  };
  return {
    /** Answers when the promise settles, or when it takes too long. */
    async wait(settled: Promise<Message>, answer: Answer): Promise<void> {
      const call = { since: performance.now(), answer };
      pending.add(call);
      timer ??= setInterval(look, Math.min(LOOK_EVERY, timeout)).unref();
      try {
        const message = await settled;
        if (pending.delete(call)) answer(null, message);
      } catch (error) {
        if (pending.delete(call)) answer(toError(error));
      }
    },
  };
}
