import fc from "fast-check";
import { expect, test } from "vitest";
import { createRateLimit } from "./rate-limit.ts";

test("no minute has more than the limit, whatever the pace", () => {
  const pace = fc.array(fc.integer({ min: 0, max: 40_000 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(pace, fc.integer({ min: 1, max: 6 }), (gaps, limit) => {
      let clock = 1_000_000;
      const rate = createRateLimit(limit, () => clock);
      const admitted: number[] = [];
      for (const gap of gaps) {
        clock += gap;
        if (rate.admit("alice")) admitted.push(clock);
      }
      for (const at of admitted) {
        const inMinute = admitted.filter((other) => other <= at && other > at - 60_000);
        expect(inMinute.length).toBeLessThanOrEqual(limit);
      }
    }),
  );
});

test("a place comes back after a minute, refused events take none, and senders are apart", () => {
  let clock = 0;
  const rate = createRateLimit(2, () => clock);
  expect([rate.admit("a"), rate.admit("a"), rate.admit("a"), rate.admit("b")]).toEqual([
    true,
    true,
    false,
    true,
  ]);
  clock = 59_999;
  expect(rate.admit("a")).toBe(false);
  clock = 60_100;
  expect([rate.admit("a"), rate.admit("a"), rate.admit("a")]).toEqual([true, true, false]);
});
