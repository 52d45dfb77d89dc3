import type { ClientReadableStream } from "@grpc/grpc-js";
import { toFailure } from "./grpc-failure.ts";

/** The receiving half of a call. */
export interface Received<T> {
  /** Reads as it is read: a slow reader makes the sender wait. Leaving early ends the call. */
  readonly messages: AsyncGenerator<T, void>;
  /** Gives the call up: `messages` ends without an error. */
  cancel(): void;
}

export interface ReceiveOptions {
  signal: AbortSignal | undefined;
  /** The calls that are given up when their transport is closed. */
  open: Set<{ cancel(): void }>;
}

export function receive<T>(
  call: ClientReadableStream<T>,
  { signal, open }: ReceiveOptions,
): Received<T> {
  let given = false;
  const received = { messages: read(), cancel };
  // The call fails when it is cancelled, and nobody may be reading then.
  call.on("error", () => {});
  call.once("close", release);
  open.add(received);
  if (signal?.aborted) abort();
  else signal?.addEventListener("abort", abort);
  return received;

  function release(): void {
    open.delete(received);
    signal?.removeEventListener("abort", abort);
  }
  function cancel(): void {
    given = true;
    call.cancel();
  }
  function abort(): void {
    call.cancel();
  }
  async function* read(): AsyncGenerator<T, void> {
    try {
      for await (const message of call) yield message as T;
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (!given) throw toFailure(error);
    } finally {
      release();
      call.cancel();
    }
  }
}
