import { create } from "@bufbuild/protobuf";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SendResponseSchema } from "../../generated/macp/v1/core_pb.ts";
import { grpcStatus } from "../../protocol/error-codes.ts";
import { statusOf } from "../../protocol/refusal.ts";
import { createPendingCalls } from "./pending-calls.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const message = create(SendResponseSchema);

test("a call that takes too long is DEADLINE_EXCEEDED, once, and nobody waits for the others", async () => {
  const answers: unknown[] = [];
  const calls = createPendingCalls(5_000);
  let settle = (): void => {};
  const slow = new Promise<typeof message>((resolve) => (settle = () => resolve(message)));
  const waiting = calls.wait(slow, (error) => answers.push(statusOf(error)));
  await calls.wait(Promise.resolve(message), (_, value) => answers.push(value));
  expect(answers).toEqual([message]);
  vi.advanceTimersByTime(4_000);
  expect(answers).toHaveLength(1);
  vi.advanceTimersByTime(2_000);
  expect(answers).toEqual([message, grpcStatus.DEADLINE_EXCEEDED]);
  settle();
  await waiting;
  expect(answers).toHaveLength(2);
  expect(vi.getTimerCount()).toBe(0);
});

test("a failure is an error", async () => {
  const answers: unknown[] = [];
  const calls = createPendingCalls(5_000);
  const reason = new Error("disk");
  await calls.wait(Promise.reject(reason), (error) => answers.push(error));
  expect(answers).toEqual([reason]);
});

test("whoever is answered first, all others keep their place", async () => {
  const calls = createPendingCalls(5_000);
  const answers = new Map<number, unknown>();
  const settle: (() => void)[] = [];
  const waiting = Array.from({ length: 5 }, (_, index) =>
    calls.wait(
      new Promise<number>((resolve) => (settle[index] = () => resolve(index))),
      (error, value) => answers.set(index, value ?? statusOf(error)),
      index === 3 ? 1_000 : undefined,
    ),
  );
  for (const index of [1, 4]) settle[index]?.();
  await Promise.all([waiting[1], waiting[4]]);
  vi.advanceTimersByTime(2_000);
  settle[0]?.();
  await waiting[0];
  const { DEADLINE_EXCEEDED: late } = grpcStatus;
  expect(answers).toEqual(
    new Map([
      [1, 1],
      [4, 4],
      [3, late],
      [0, 0],
    ]),
  );
  vi.advanceTimersByTime(4_000);
  expect(answers.get(2)).toBe(late);
  expect(vi.getTimerCount()).toBe(0);
});
