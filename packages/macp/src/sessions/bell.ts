/** Wakes whoever waits, as often as something happened. */
export interface Bell {
  ring(): void;
  /** Resolves at the next ring; rejects with the signal's reason when that aborts first. */
  next(signal?: AbortSignal): Promise<void>;
}

export function createBell(): Bell {
  let waiting: (() => void)[] = [];
  return {
    ring() {
      const woken = waiting;
      waiting = [];
      for (const wake of woken) wake();
    },
    next: (signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason as Error);
        const abort = () => {
          waiting = waiting.filter((other) => other !== wake);
          reject(signal?.reason as Error);
        };
        const wake = () => {
          signal?.removeEventListener("abort", abort);
          resolve();
        };
        signal?.addEventListener("abort", abort, { once: true });
        waiting.push(wake);
      }),
  };
}
