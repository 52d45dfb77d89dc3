import { execFile } from "node:child_process";
import { promisify } from "node:util";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Alarm, type Due } from "./alarm.ts";

const dueIn = (ms: number, expire: () => void = () => {}): Due => ({
  at: performance.now() + ms,
  slot: -1,
  expire,
});

describe("by a clock that stands still", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test("each is told once when it is late, and who has left is not", () => {
    const step = fc.record({
      ms: fc.integer({ min: 1, max: 100 }),
      leavesAt: fc.nat({ max: 120 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.boolean(), (steps, keepsAlive) => {
        const alarm = new Alarm({ keepsAlive });
        const from = performance.now();
        const told = steps.map((): number[] => []);
        const left = steps.map(() => false);
        const dues = steps.map(({ ms }, i) =>
          dueIn(ms, () => told[i]?.push(performance.now() - from)),
        );
        for (const due of dues) alarm.add(due);
        for (let now = 0; now <= 130; now++) {
          for (const [i, { leavesAt }] of steps.entries()) {
            if (leavesAt === now) left[i] = alarm.delete(dues[i] as Due);
          }
          vi.advanceTimersByTime(1);
        }
        const leaves = steps.map(({ ms, leavesAt }) => leavesAt < ms);
        expect(left).toEqual(leaves);
        expect(told).toEqual(steps.map(({ ms }, i) => (leaves[i] === true ? [] : [ms])));
        expect(vi.getTimerCount()).toBe(0);
      }),
    );
  });

  test("one timer does for many, whoever leaves", () => {
    const alarm = new Alarm({ keepsAlive: true });
    for (let i = 0; i < 50; i++) {
      const due = dueIn(5000);
      alarm.add(due);
      alarm.delete(due);
      vi.advanceTimersByTime(10);
      expect(vi.getTimerCount()).toBe(1);
    }
    vi.advanceTimersByTime(5000);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("a delay that no timer takes is waited for all the same", () => {
    const told = vi.fn<() => void>();
    const alarm = new Alarm({ keepsAlive: false });
    alarm.add(dueIn(2 ** 32, told));
    vi.advanceTimersByTime(2 ** 32 - 1);
    expect(told).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(told).toHaveBeenCalledOnce();
  });
});

test("timers that were replaced in the meantime, as by a test's fake ones, cost nobody the deadline", async () => {
  const alarm = new Alarm({ keepsAlive: true });
  vi.useFakeTimers();
  try {
    const told = vi.fn<() => void>();
    alarm.add(dueIn(50, told));
    vi.advanceTimersByTime(50);
    expect(told).toHaveBeenCalledOnce();
    alarm.add(dueIn(1));
  } finally {
    vi.useRealTimers();
  }
  await new Promise<void>((resolve) => alarm.add(dueIn(10, resolve)));
});

test("timers that are numbers are not left standing", () => {
  vi.useFakeTimers();
  const { setTimeout: set } = globalThis;
  const numbered = (...given: Parameters<typeof set>) => Number(set(...given));
  vi.stubGlobal("setTimeout", numbered);
  try {
    const alarm = new Alarm({ keepsAlive: true });
    const due = dueIn(5000);
    alarm.add(due);
    expect(vi.getTimerCount()).toBe(1);
    alarm.delete(due);
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.unstubAllGlobals();
    vi.useRealTimers();
  }
});

test.each([
  [true, true, "told"],
  [true, false, ""],
  [false, true, ""],
])(
  "keepsAlive %s: the process of somebody who waits (%s) ends with %j",
  async (keepsAlive, waits, said) => {
    const program = `
      import { Alarm } from ${JSON.stringify(new URL("alarm.ts", import.meta.url).href)};
      const alarm = new Alarm({ keepsAlive: ${keepsAlive} });
      const due = { at: performance.now() + 300, slot: -1, expire: () => console.log("told") };
      for (let i = 0; i < 3; i++) { alarm.add(due); alarm.delete(due); }
      if (${waits}) alarm.add(due);
    `;
    const ran = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program]);
    expect(ran.stdout.trim()).toBe(said);
  },
);
