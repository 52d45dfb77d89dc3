import * as fc from "fast-check";
import { expect, test } from "vitest";
import { hmacDigest, inputDigest } from "./digest.ts";
import type { JsonValue } from "./json.ts";
import { reveal } from "./reveal.ts";

const digestKey = new Uint8Array(16).fill(7);
const json = fc.jsonValue({ noUnicodeString: false }) as fc.Arbitrary<JsonValue>;

test("an input proves its own digest and no other one", () => {
  fc.assert(
    fc.property(json, json, (input, other) => {
      const digest = inputDigest(input);
      const keyed = hmacDigest(digestKey, input);
      expect(reveal(digest, input)).toBe(true);
      expect(reveal(keyed, input, { digestKey })).toBe(true);
      // Without the key, or with it where there was none, nothing is proven.
      expect(reveal(keyed, input)).toBe(false);
      expect(reveal(digest, input, { digestKey })).toBe(false);
      const same = inputDigest(other) === digest;
      expect(reveal(digest, other)).toBe(same);
    }),
  );
});

test("the case of the digits makes no difference, a cut digest does", () => {
  const digest = inputDigest({ dish: "soup" });
  expect(reveal(`0x${digest.slice(2).toUpperCase()}`, { dish: "soup" })).toBe(true);
  expect(reveal(digest.slice(0, -1), { dish: "soup" })).toBe(false);
  expect(reveal("", { dish: "soup" })).toBe(false);
});

test("what JSON cannot say proves nothing", () => {
  const at = { at: new Date(0) };
  const digest = inputDigest({ at: at.at.toISOString() });
  expect(() => reveal(digest, at as unknown as JsonValue)).toThrow(TypeError);
  expect(reveal(digest, { at: "1970-01-01T00:00:00.000Z" })).toBe(true);
});
