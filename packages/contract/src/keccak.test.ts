import { keccak_256 } from "@noble/hashes/sha3.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { bytesToHex0x } from "./bytes.ts";
import { keccak256 } from "./keccak.ts";

const empty = "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470";

test("Keccak and not NIST SHA-3, before the fast implementation is there and after", async () => {
  expect(bytesToHex0x(keccak256(new Uint8Array()))).toBe(empty);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(bytesToHex0x(keccak256(new Uint8Array()))).toBe(empty);
});

test("both implementations agree, whatever came before", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      expect(keccak256(bytes)).toEqual(keccak_256(bytes));
    }),
  );
});
