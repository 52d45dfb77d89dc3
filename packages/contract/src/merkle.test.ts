import * as fc from "fast-check";
import { expect, test } from "vitest";
import { concatBytes } from "./bytes.ts";
import { keccak256 } from "./keccak.ts";
import { merkleNode, merkleRoot, opKindBitmap } from "./merkle.ts";

const leaf = fc.uint8Array({ minLength: 32, maxLength: 32 });

test("the root of two subtrees of equal size is the parent of their roots", () => {
  const halves = fc
    .constantFrom(1, 2, 4, 8)
    .chain((n) => fc.tuple(...[0, 1].map(() => fc.array(leaf, { minLength: n, maxLength: n }))));
  fc.assert(
    fc.property(halves, ([left = [], right = []]) => {
      expect(merkleRoot([...left, ...right])).toEqual(
        merkleNode(merkleRoot(left), merkleRoot(right)),
      );
    }),
  );
});

test("one leaf's root is not the leaf, and no inner node passes for a leaf", () => {
  const [a, b] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)] as [
    Uint8Array,
    Uint8Array,
  ];
  expect(merkleRoot([a])).toEqual(keccak256(concatBytes(Uint8Array.of(0), a)));
  expect(merkleRoot([merkleRoot([a, b])])).not.toEqual(merkleRoot([a, b]));
  expect(merkleRoot([])).toEqual(new Uint8Array(32));
});

test("opKindBitmap has one bit per kind", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 255 })), (kinds) => {
      const bits = BigInt(opKindBitmap(kinds));
      for (let kind = 0; kind < 256; kind++)
        expect((bits >> BigInt(kind)) & 1n).toBe(kinds.includes(kind) ? 1n : 0n);
    }),
    { numRuns: 20 },
  );
});
