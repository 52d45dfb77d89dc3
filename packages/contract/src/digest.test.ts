import { createHmac } from "node:crypto";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { bytesToHex0x, hexToBytes } from "./bytes.ts";
import { keccak256 } from "./keccak.ts";
import { encodeCanonical } from "./cbor.ts";
import { hmacDigest, inputDigest } from "./digest.ts";
import { type JsonValue, parseJson } from "./json.ts";

const hex = (text: string): string => Buffer.from(text).toString("hex");
const key = new Uint8Array(32).fill(7);

test("is the keccak256 of the canonical CBOR of what JSON.stringify sends", () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      const sent = encodeCanonical(parseJson(JSON.stringify(value)));
      expect(inputDigest(value as JsonValue)).toBe(bytesToHex0x(keccak256(sent)));
      expect(hmacDigest(key, value as JsonValue)).toBe(
        `0x${createHmac("sha256", key).update(sent).digest("hex")}`,
      );
    }),
  );
});

test("a fixed value, from its bytes", () => {
  const bytes = `a264${hex("dish")}69${hex("mapo tofu")}65${hex("price")}190258`;
  const digest = bytesToHex0x(keccak256(hexToBytes(bytes)));
  expect(inputDigest({ price: 600, dish: "mapo tofu" })).toBe(digest);
});

test("key order, undefined fields and the sign of zero make no difference; anything else does", () => {
  const base = inputDigest({ a: 0, b: { c: 1, d: [1, 2] } });
  expect(inputDigest({ b: { d: [1, 2], c: 1 }, a: -0 })).toBe(base);
  expect(inputDigest({ a: 0, b: { c: 1, d: [1, 2] }, e: undefined } as unknown as JsonValue)).toBe(
    base,
  );
  const others: JsonValue[] = [
    { a: 0, b: { c: 1, d: [2, 1] } },
    { a: "0", b: { c: 1, d: [1, 2] } },
    { a: 0, b: { c: 1, d: [1, 2] }, e: null },
  ];
  expect(new Set([base, ...others.map(inputDigest)]).size).toBe(4);
});

test("what JSON cannot say is refused", () => {
  for (const value of [new Map(), { at: new Date(0) }, [NaN], [undefined], "\ud800"]) {
    expect(() => inputDigest(value as JsonValue)).toThrow(TypeError);
    expect(() => hmacDigest(key, value as JsonValue)).toThrow(TypeError);
  }
});

test("another key gives another digest", () => {
  expect(hmacDigest(key, 1)).not.toBe(hmacDigest(new Uint8Array(32), 1));
});
