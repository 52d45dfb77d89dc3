/** ms */
const WINDOW = 60_000;
/** Events of one slice are forgotten together, up to this much late and never early, ms. */
const SLICE = 100;
/** Senders between two sweeps of those that have gone quiet. */
const SWEEP_EVERY = 1_024;

export interface RateLimit {
  /** Counts one event of this sender, unless that would be one too many in the last minute. */
  admit(sender: string): boolean;
}

interface Slice {
  readonly at: number;
  count: number;
}

interface Window {
  slices: Slice[];
  total: number;
}

/** A sliding window for each sender. Refused events do not count. */
export function createRateLimit(perMinute: number, now: () => number): RateLimit {
  const windows = new Map<string, Window>();
  let sweepAt = SWEEP_EVERY;
  return {
    admit(sender) {
      const at = now();
      const window = windows.get(sender) ?? { slices: [], total: 0 };
      forget(window, at);
      if (window.total >= perMinute) return false;
      const last = window.slices.at(-1);
      if (last !== undefined && at - last.at < SLICE && at >= last.at) last.count++;
      else window.slices.push({ at, count: 1 });
      window.total++;
      windows.set(sender, window);
      if (windows.size >= sweepAt) sweepAt = sweep(windows, at);
      return true;
    },
  };
}

function forget(window: Window, at: number): void {
  const { slices } = window;
  // The newest event of a slice may be SLICE younger than its first one.
  const kept = slices.findIndex((slice) => at - slice.at < WINDOW + SLICE);
  if (kept === 0) return;
  const gone = slices.splice(0, kept === -1 ? slices.length : kept);
  for (const { count } of gone) window.total -= count;
}

function sweep(windows: Map<string, Window>, at: number): number {
  for (const [sender, window] of windows) {
    forget(window, at);
    if (window.total === 0) windows.delete(sender);
  }
  return windows.size + SWEEP_EVERY;
}
