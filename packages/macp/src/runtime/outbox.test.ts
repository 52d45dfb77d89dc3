import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { statusOf } from "../protocol/refusal.ts";
import { grpcStatus } from "../protocol/error-codes.ts";
import { Outbox, type Downstream } from "./outbox.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A receiver that takes `room` messages and then waits for `take`. */
function receiver(room: number) {
  const got: number[] = [];
  let free = room;
  let drain = (): void => {};
  let how: "open" | "ended" | Error = "open";
  const closing: (() => void)[] = [];
  const down: Downstream<number> = {
    write(message) {
      got.push(message);
      return --free > 0;
    },
    end: () => void (how = "ended"),
    fail: (error) => void (how = error),
    ready: () => {},
    onDrain: (listener) => void (drain = listener),
    onClose: (listener) => void closing.push(listener),
  };
  return {
    down,
    got,
    how: () => how,
    take(more: number) {
      free += more;
      drain();
    },
    close: () => {
      for (const listener of closing) listener();
    },
  };
}

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

test("a receiver that keeps up gets everything in order", () => {
  const to = receiver(1_000);
  const out = new Outbox(to.down, 4);
  for (const n of upTo(100)) out.push(n);
  out.end();
  expect(to.got).toEqual(upTo(100));
  expect(to.how()).toBe("ended");
});

test("a receiver that stays behind by more than the capacity loses its stream, and nothing before that is lost", () => {
  const to = receiver(1);
  const out = new Outbox(to.down, 4);
  for (const n of upTo(5)) out.push(n);
  vi.advanceTimersByTime(60_000);
  expect(to.how()).toBe("open");
  to.take(2);
  expect(to.got).toEqual([1, 2, 3]);
  for (const n of [6, 7, 8]) out.push(n);
  vi.advanceTimersByTime(500);
  expect(to.how()).toBe("open");
  vi.advanceTimersByTime(600);
  expect(statusOf(to.how())).toBe(grpcStatus.RESOURCE_EXHAUSTED);
  expect(out.closed).toBe(true);
});

test("a burst is no lag for a receiver that then takes it", () => {
  const to = receiver(1);
  const out = new Outbox(to.down, 4);
  for (const n of upTo(60)) out.push(n);
  to.take(1_000);
  vi.advanceTimersByTime(60_000);
  expect(to.how()).toBe("open");
  expect(to.got).toEqual(upTo(60));
});

test("a burst has its bound too", () => {
  const to = receiver(1);
  const out = new Outbox(to.down, 4);
  for (const n of upTo(66)) out.push(n);
  expect(statusOf(to.how())).toBe(grpcStatus.RESOURCE_EXHAUSTED);
});

test("a replay waits for its receiver, whatever its length, and live messages come after it", () => {
  const to = receiver(1);
  const out = new Outbox(to.down, 2);
  let n = 0;
  out.replay(
    () => (n < 500 ? ++n : undefined),
    () => out.push(-1),
  );
  expect(to.got).toEqual([1]);
  out.push(501);
  to.take(1_000);
  expect(to.got).toEqual([...upTo(501), -1]);
  out.end();
  expect(to.how()).toBe("ended");
});

test("an end waits for what was pushed", () => {
  const to = receiver(1);
  const out = new Outbox(to.down, 4);
  for (const n of upTo(3)) out.push(n);
  out.end();
  expect(to.how()).toBe("open");
  to.take(10);
  expect(to.got).toEqual(upTo(3));
  expect(to.how()).toBe("ended");
});

test("nothing goes to a stream that is closed", () => {
  const to = receiver(10);
  const out = new Outbox(to.down, 4);
  to.close();
  out.push(1);
  expect(to.got).toEqual([]);
});
