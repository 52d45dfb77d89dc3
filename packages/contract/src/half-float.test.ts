import { expect, test } from "vitest";
import { halfOfSingle, halfToNumber, singleBits } from "./half-float.ts";

test("every finite half-precision float is found again, and nothing between two of them", () => {
  let seen = 0;
  for (let bits = 0; bits < 0x1_0000; bits++) {
    const value = halfToNumber(bits);
    if (!Number.isFinite(value)) continue;
    const single = singleBits(value);
    if (single === undefined) throw new Error(`no single for half ${bits}`);
    if (halfOfSingle(single) !== bits)
      throw new Error(`half ${bits} read back as ${halfOfSingle(single)}`);
    if (halfOfSingle(single + 1) !== undefined) throw new Error(`a half above ${bits}`);
    seen++;
  }
  expect(seen).toBe(2 * 31 * 1024);
  expect([halfToNumber(0x7c00), halfToNumber(0xfc00), halfToNumber(0x7e00)]).toEqual([
    Infinity,
    -Infinity,
    NaN,
  ]);
});

test.each([65505, 2 ** 16, 2 ** -25, 1 / 3])("%d has no half", (value) => {
  expect(halfOfSingle(singleBits(Math.fround(value)) as number)).toBeUndefined();
});

test.each([0.1, 1e300, 2 ** 24 + 1, Number.MIN_VALUE])("%d has no single", (value) => {
  expect(singleBits(value)).toBeUndefined();
});
