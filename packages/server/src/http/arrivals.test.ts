import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { createArrivals } from "./arrivals.ts";

test("what arrives in one turn of the event loop is given on together, in its order", async () => {
  const taken: string[] = [];
  const arrived = createArrivals<number>((item) => taken.push(`taken ${item}`));
  for (const item of [1, 2, 3]) {
    process.nextTick(() => {
      taken.push(`arrived ${item}`);
      arrived(item);
    });
  }
  await turn();
  await turn();
  arrived(4);
  expect(taken).toEqual(
    [1, 2, 3].map((n) => `arrived ${n}`).concat([1, 2, 3].map((n) => `taken ${n}`)),
  );
  await turn();
  expect(taken.at(-1)).toBe("taken 4");
});
