import { grpcStatus } from "../../protocol/error-codes.ts";
import { statusError } from "../../protocol/refusal.ts";
import type { Credentials } from "../auth/identity.ts";
import type { GrpcCall } from "./call.ts";
import type { DuplexMethod, StreamMethod, UnaryMethod } from "./methods.ts";
import type { Downstream } from "../outbox.ts";
import type { PendingCalls } from "./pending-calls.ts";

export interface CallTerms {
  readonly from: Credentials;
  /** ms that the client gives the call. */
  readonly timeout: number | undefined;
  /** Bytes of a message. */
  readonly limit: number;
  readonly pending: PendingCalls;
}

/** Calls its method when the request is whole. */
export function serveUnary(
  call: GrpcCall,
  method: UnaryMethod,
  { from, timeout, limit, pending }: CallTerms,
): void {
  const answered = (error: unknown, value?: unknown): void => {
    if (value === undefined) return call.fail(error);
    try {
      call.answer(method.encode(value));
    } catch (reason) {
      call.fail(reason);
    }
  };
  call.readOne(limit, (message) => {
    const answer = method.handler(method.decode(message), from);
    if (answer instanceof Promise) void pending.wait(answer, answered, timeout);
    else answered(undefined, answer);
  });
}

export function serveStream(
  call: GrpcCall,
  method: StreamMethod,
  { from, timeout, limit }: CallTerms,
): void {
  const run = async (message: Buffer): Promise<void> => {
    try {
      const down = downstream(call, method, timeout);
      await method.handler(method.decode(message), from, down);
    } catch (error) {
      call.fail(error);
    }
  };
  call.readOne(limit, (message) => void run(message));
}

export function serveDuplex(
  call: GrpcCall,
  method: DuplexMethod,
  { from, timeout, limit }: CallTerms,
): void {
  const up = method.handler(from, downstream(call, method, timeout));
  call.read(limit, (message) =>
    message === undefined ? up.end() : up.frame(method.decode(message)),
  );
}

function downstream(
  call: GrpcCall,
  method: StreamMethod | DuplexMethod,
  timeout: number | undefined,
): Downstream<unknown> {
  const { stream } = call;
  const timer = timeout === undefined ? undefined : setTimeout(late, timeout);
  function late(): void {
    const message = "the deadline of the call has passed";
    call.fail(statusError({ status: grpcStatus.DEADLINE_EXCEEDED, message }));
  }
  const closing: (() => void)[] = [];
  let closed = false;
  stream.once("close", () => {
    closed = true;
    clearTimeout(timer);
    for (const listener of closing) listener();
  });
  return {
    ready: () => call.begin(),
    write: (message) => call.write(method.encode(message)),
    end: () => call.end(),
    fail: (error) => call.fail(error),
    onDrain: (listener) => void stream.on("drain", listener),
    onClose: (listener) => void (closed ? listener() : closing.push(listener)),
  };
}
