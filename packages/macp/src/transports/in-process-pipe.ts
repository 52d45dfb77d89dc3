import type { Downstream } from "../runtime/outbox.ts";

/** Messages that wait for a reader before the writer is told to hold back: as many as a gRPC stream takes. */
const HIGH_WATER = 16;

export interface Pipe<T> {
  readonly down: Downstream<T>;
  readonly messages: AsyncGenerator<T, void>;
  /** Reading ends at once, without an error or with this one. */
  cancel(how: { error?: unknown }): void;
}

/** A stream inside the process. Messages that came before its end or failure are still read. */
export function createPipe<T>(copy: (message: T) => T): Pipe<T> {
  const queue: T[] = [];
  let over: { error?: unknown } | undefined;
  let wake: (() => void) | undefined;
  let drained = (): void => {};
  const closing = new Set<() => void>();
  const finish = (how: { error?: unknown }): void => {
    if (over !== undefined) return;
    over = how;
    wake?.();
    for (const listener of closing) listener();
    closing.clear();
  };
  const cancel = (how: { error?: unknown }): void => {
    queue.length = 0;
    finish(how);
  };
  async function* read(): AsyncGenerator<T, void> {
    try {
      for (;;) {
        while (queue.length > 0) {
          yield queue.shift() as T;
          if (queue.length === 0) drained();
        }
        if (over !== undefined) break;
        await new Promise<void>((resolve) => (wake = resolve));
      }
      if ("error" in over) throw over.error;
    } finally {
      cancel({});
    }
  }
  return {
    messages: read(),
    cancel,
    down: {
      write(message) {
        if (over !== undefined) return false;
        queue.push(copy(message));
        wake?.();
        return queue.length < HIGH_WATER;
      },
      ready: () => {},
      end: () => finish({}),
      fail: (error) => finish({ error }),
      onDrain: (listener) => void (drained = listener),
      onClose: (listener) => void (over === undefined ? closing.add(listener) : listener()),
    },
  };
}
