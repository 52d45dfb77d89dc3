import * as fc from "fast-check";
import { expect, test } from "vitest";
import { utf8ToBytes } from "./bytes.ts";
import { compareUtf8, isPlainObject, isWellFormed } from "./wire-value.ts";

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const at = a.findIndex((byte, i) => byte !== b[i]);
  return at < 0 ? a.length - b.length : (a[at] as number) - (b[at] ?? -1);
}

test("compareUtf8 is the order of the encoded bytes", () => {
  // Few letters, so that long common prefixes happen; among them both sides of the surrogate gap.
  const text = fc.string({
    unit: fc.constantFrom("a", "é", "字", "\ud7ff", "\ue000", "\uffee", "😀", "𐀀"),
  });
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(Math.sign(compareUtf8(a, b))).toBe(
        Math.sign(compareBytes(utf8ToBytes(a), utf8ToBytes(b))),
      );
    }),
    { numRuns: 1000 },
  );
});

test("isWellFormed finds a lone surrogate anywhere", () => {
  expect(["", "a", "é😀"].map(isWellFormed)).toEqual([true, true, true]);
  expect(["\ud800", "a\udc00", "😀\ud83d", "\ude00\ud83d"].map(isWellFormed)).toEqual([
    false,
    false,
    false,
    false,
  ]);
});

test("isPlainObject refuses arrays and everything with a class", () => {
  class Point {
    x = 1;
  }
  expect(
    [{}, Object.create(null) as object, JSON.parse("{}") as object].map(isPlainObject),
  ).toEqual([true, true, true]);
  const others = [
    [],
    new Map(),
    new Date(),
    new Point(),
    new Uint8Array(),
    Object.create({}) as object,
    () => 1,
  ];
  expect(others.map(isPlainObject)).toEqual(others.map(() => false));
});
