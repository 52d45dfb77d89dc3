import { parseJson, stringifyJson } from "@agentkeys/contract";
import fc from "fast-check";
import { expect, test } from "vitest";
import { BODY_LIMIT } from "./http.ts";
import { plainCopy } from "./plain-copy.ts";

test("gives what parsing the JSON text gives", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5, stringUnit: "grapheme" }), (value) => {
      const text = JSON.stringify(value);
      expect(stringifyJson(plainCopy(value))).toBe(stringifyJson(parseJson(text)));
      expect(plainCopy(value)).toEqual(parseJson(text));
    }),
  );
});

test("shares nothing, drops what is undefined and the sign of zero", () => {
  const given = { a: [1], b: undefined, c: -0 };
  const copied = plainCopy(given);
  given.a.push(2);
  expect(copied).toEqual({ a: [1], c: 0 });
  for (const large of [2 ** 60, -(2 ** 63), 2 ** 64, 1e20, 1e21, -1e300]) {
    expect(plainCopy([large])).toEqual(parseJson(JSON.stringify([large])));
  }
  const own = plainCopy(JSON.parse('{"__proto__":1}'));
  expect(Object.keys(own as object)).toEqual(["__proto__"]);
});

const cyclic: unknown[] = [];
cyclic.push(cyclic);

test.each([
  ["not a number", Number.NaN],
  ["a date", new Date()],
  ["a map", new Map()],
  ["a function", () => 1],
  ["a bigint", 1n],
  ["nested too deeply", cyclic],
  ["half a character", "\ud800"],
  ["half a character in a name", { "\ud800": 1 }],
])("refuses %s", (_what, value) => {
  expect(() => plainCopy({ value })).toThrow(expect.objectContaining({ code: "invalid_request" }));
});

test("refuses what is longer than a body may be", () => {
  const code = { code: "payload_too_large" };
  expect(() => plainCopy("x".repeat(BODY_LIMIT + 1))).toThrow(expect.objectContaining(code));
  const shared = "x".repeat(1024);
  const many = Array.from({ length: 1025 }, () => shared);
  expect(() => plainCopy(many)).toThrow(expect.objectContaining(code));
  expect(plainCopy("x".repeat(BODY_LIMIT - 10))).toHaveLength(BODY_LIMIT - 10);
});
