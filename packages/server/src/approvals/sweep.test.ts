import { afterEach, expect, test, vi } from "vitest";
import { openSqliteStore } from "../sqlite/sqlite-store.ts";
import { begin, call, end, handClock } from "../testdata/approvals.test-kit.ts";
import { open } from "../testdata/harness.test-kit.ts";

afterEach(() => void vi.useRealTimers());

test("what is over is dropped and written down, though nobody looks", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const { clock, pass } = handClock();
  const store = await openSqliteStore({ data: ":memory:", clock });
  const forgotten: number[] = [];
  const forgetOldResults = async (now: number) => {
    await store.forgetOldResults(now);
    forgotten.push(now);
  };
  const harness = await open({ clock, store: { ...store, forgetOldResults } });
  await end(harness, await begin(harness, call({ params: { amount_rmb: 200 } })), { result: 1 });
  await begin(harness, call({ call_id: "asked" }));
  pass(86_400);
  vi.advanceTimersByTime(600_000);
  await vi.waitFor(async () => expect(await harness.records()).toHaveLength(4));
  expect((await harness.records())[3]?.body).toMatchObject({ outcome: "expired" });
  expect(forgotten).toHaveLength(2);
  await harness.authority.close();
  vi.advanceTimersByTime(6_000_000);
  expect(forgotten).toHaveLength(2);
});
