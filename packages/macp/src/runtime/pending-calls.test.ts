import { create } from "@bufbuild/protobuf";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SendResponseSchema } from "../generated/macp/v1/core_pb.ts";
import { grpcStatus } from "../protocol/error-codes.ts";
import { statusOf } from "../protocol/refusal.ts";
import { createPendingCalls } from "./pending-calls.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const message = create(SendResponseSchema);

test("a call that takes too long is DEADLINE_EXCEEDED, once, and nobody waits for the others", async () => {
  const answers: unknown[] = [];
  const calls = createPendingCalls(5_000, (error) => error as object);
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
  const calls = createPendingCalls(5_000, () => ({ code: 13 }));
  await calls.wait(Promise.reject(new Error("disk")), (error) => answers.push(error));
  expect(answers).toEqual([{ code: 13 }]);
});
