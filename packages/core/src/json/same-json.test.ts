import { inputDigest, type JsonValue } from "@agentkeys/contract";
import fc from "fast-check";
import { expect, test } from "vitest";
import { sameJson } from "./same-json.ts";

test.each([
  [{ a: 1, b: [true, null] }, { b: [true, null], a: 1 }, true],
  [{ a: 1 }, { a: 1, b: 2 }, false],
  [[1, 2], [2, 1], false],
  [[], {}, false],
  [{ "0": 1 }, [1], false],
  [null, {}, false],
  ["1", 1, false],
  [0, -0, true],
  [JSON.parse('{"__proto__":{"a":1}}'), {}, false],
])("%j and %j: %s", (a, b, same) => {
  expect(sameJson(a, b)).toBe(same);
  expect(sameJson(b, a)).toBe(same);
});

test("two values are the same exactly when their digests are", () => {
  const small = fc.jsonValue({ maxDepth: 3, stringUnit: fc.constantFrom("a", "b", "__proto__") });
  fc.assert(
    fc.property(small, small, (a, b) => {
      expect(sameJson(a, b)).toBe(inputDigest(a as JsonValue) === inputDigest(b as JsonValue));
      expect(sameJson(a, structuredClone(a))).toBe(true);
    }),
    { numRuns: 500 },
  );
});
