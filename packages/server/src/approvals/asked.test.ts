import { expect, test } from "vitest";
import { createAsked } from "./asked.ts";

test("an actor is looked up until its time is over, and forgotten with the others", () => {
  let now = 10;
  const asked = createAsked(new Map([["known", 20]]), () => now);
  asked.changed("asked", 30);
  asked.changed("asked", 5);
  expect(["known", "asked", "other"].map(asked.mustLookUp)).toEqual([true, true, false]);
  now = 20;
  asked.forget();
  // Only what was forgotten stays away when the clock is turned back.
  now = 10;
  expect(["known", "asked"].map(asked.mustLookUp)).toEqual([false, true]);
});
