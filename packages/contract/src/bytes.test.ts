import * as fc from "fast-check";
import { expect, test } from "vitest";
import { bytesToHex0x, concatBytes, hexToBytes, sha256, utf8ToBytes } from "./bytes.ts";

test("hex reads back, with and without 0x, in either case", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      const hex = bytesToHex0x(bytes);
      expect(hex).toMatch(/^0x(?:[0-9a-f]{2})*$/);
      expect(hexToBytes(hex)).toEqual(bytes);
      expect(hexToBytes(hex.slice(2).toUpperCase())).toEqual(bytes);
    }),
  );
});

test.each(["0X11", "1", "0x1", "zz", "0x 1", "11\n", "0x0x11"])(
  "%j is not hex, and the error does not quote it",
  (text) => {
    expect(() => hexToBytes(text)).toThrow(new SyntaxError("invalid hex"));
  },
);

test("sha256 of abc", () => {
  expect(bytesToHex0x(sha256(concatBytes(utf8ToBytes("a"), utf8ToBytes("bc"))))).toBe(
    "0xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
});
