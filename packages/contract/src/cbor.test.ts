import { isDeepStrictEqual } from "node:util";
import * as cborg from "cborg";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytesToHex0x, hexToBytes } from "./bytes.ts";
import { type CborValue, decodeCanonical, encodeCanonical } from "./cbor.ts";
import { JsonFloat, parseJson, stringifyJson, type WireValue } from "./json.ts";

const hex = (value: CborValue): string => bytesToHex0x(encodeCanonical(value)).slice(2);

/** An independent encoder: RFC 8949 core deterministic encoding. */
function oracle(value: CborValue): Uint8Array {
  const bytes = cborg.encode(value, {
    ...cborg.rfc8949EncodeOptions,
    typeEncoders: {
      Object: (object: object) =>
        object instanceof JsonFloat ? new cborg.Token(cborg.Type.float, object.value) : null,
    },
  });
  // A Buffer on Node.
  return new Uint8Array(bytes);
}

// Keys around the lengths where the head grows, with one to four bytes per character.
const key = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 30 }),
  fc
    .tuple(
      fc.constantFrom(22, 23, 24, 25, 254, 255, 256, 257),
      fc.constantFrom("a", "é", "字", "\uffee", "😀"),
    )
    .map(([n, c]) => c.repeat(n)),
  fc.constantFrom("__proto__", "constructor", "toString", "1", "0"),
);
// cborg writes half-precision subnormals as singles; those have a test of their own.
const fraction = fc
  .double({ noNaN: true, noDefaultInfinity: true })
  .filter((x) => !Number.isInteger(x) && (Math.abs(x) >= 2 ** -14 || x % 2 ** -24 !== 0));
const scalar: fc.Arbitrary<CborValue> = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.maxSafeInteger(),
  fc.constantFrom(
    0,
    23,
    24,
    255,
    256,
    65535,
    65536,
    2 ** 32 - 1,
    2 ** 32,
    -1,
    -24,
    -25,
    -256,
    -257,
    -65537,
    -(2 ** 32) - 1,
  ),
  fraction,
  fc
    .float({ noNaN: true, noDefaultInfinity: true })
    .filter((x) => x % 1 !== 0 && Math.abs(x) >= 2 ** -14),
  fc.integer().map((x) => new JsonFloat(x)),
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
  fc.bigInt({ min: -(2n ** 63n), max: -(2n ** 53n) }),
  fc.string({ unit: "grapheme", maxLength: 300 }),
  fc.uint8Array({ maxLength: 300 }),
);
const value: fc.Arbitrary<CborValue> = fc.letrec<{ value: CborValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.array(tie("value"), { maxLength: 30 }),
    fc.dictionary(key, tie("value"), { maxKeys: 30, noNullPrototype: true }),
  ),
})).value;

/** The same value with the keys of every object in another order. */
function reversed(item: CborValue): CborValue {
  if (Array.isArray(item)) return item.map(reversed);
  if (
    typeof item !== "object" ||
    item === null ||
    item instanceof Uint8Array ||
    item instanceof JsonFloat
  )
    return item;
  return Object.fromEntries(
    Object.entries(item)
      .toReversed()
      .map(([k, v]) => [k, reversed(v)]),
  );
}

describe("encodeCanonical", () => {
  test("agrees with an independent encoder", () => {
    fc.assert(
      fc.property(value, (item) => {
        expect(encodeCanonical(item)).toEqual(oracle(item));
      }),
      { numRuns: 300 },
    );
  });

  test("the order of keys makes no difference", () => {
    fc.assert(
      fc.property(value, (item) => {
        expect(encodeCanonical(reversed(item))).toEqual(encodeCanonical(item));
      }),
    );
  });

  test("decodes to what was encoded", () => {
    fc.assert(
      fc.property(value, (item) => {
        expect(isDeepStrictEqual(decodeCanonical(encodeCanonical(item)), item)).toBe(true);
      }),
    );
  });

  test("keys stand in the order of their encoded bytes", () => {
    fc.assert(
      fc.property(fc.uniqueArray(key, { maxLength: 40 }), (keys) => {
        const map = decodeCanonical(encodeCanonical(Object.fromEntries(keys.map((k) => [k, 0]))));
        // An object lists integer keys first, so these are compared apart.
        const listed = Object.keys(map as object).filter((k) => !/^(?:0|[1-9]\d*)$/.test(k));
        const encoded = keys.filter((k) => listed.includes(k)).map((k) => hex(k));
        expect(listed.map((k) => hex(k))).toEqual(encoded.toSorted());
        expect(Object.keys(map as object)).toHaveLength(keys.length);
      }),
    );
  });

  test("a value and its JSON text, parsed, have the same bytes", () => {
    const number = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.integer(),
      fc.double({ min: 2 ** 52, max: 2 ** 65, noNaN: true }),
    );
    fc.assert(
      fc.property(fc.oneof(number, number.map(Math.round)), (x) => {
        expect(hex(parseJson(stringifyJson(x)))).toBe(hex(x));
        // JSON.stringify drops the sign of zero.
        expect(hex(parseJson(JSON.stringify([x])))).toBe(hex([x === 0 ? 0 : x]));
      }),
      { numRuns: 1000 },
    );
  });

  test.each<[CborValue, string]>([
    [{ bb: 1, a: 2, "": 0, aaa: 3 }, "a46000616102626262016361616103"],
    [-0, "f98000"],
    [new JsonFloat(-0), "f98000"],
    [600, "190258"],
    [new JsonFloat(600), "f960b0"],
    // JSON.stringify prints 2^60 as 1152921504606847000, and that is what a server reads.
    [2 ** 60, "1b1000000000000018"],
    [2 ** 64, "fa5f800000"],
    [1e20, "fb4415af1d78b58c40"],
    [1e300, "fb7e37e43c8800759c"],
    [3 * 2 ** -24, "f90003"],
    [2 ** -24, "f90001"],
    [-(2 ** -15), "f98200"],
    [1.5 * 2 ** -24, "fa33c00000"],
    [2 ** -25, "fa33000000"],
    [Uint8Array.of(1, 2), "420102"],
    ["\u{1f600}", "64f09f9880"],
  ])("%o is %s", (item, expected) => {
    expect(hex(item)).toBe(expected);
  });

  test("a text whose UTF-8 needs a longer head than its UTF-16 length suggests", () => {
    for (const length of [8, 12, 23, 24, 85, 86, 128, 255, 256, 21845, 21846, 65536]) {
      for (const character of ["a", "é", "字"]) {
        const item = ["before", character.repeat(length), "after"];
        expect(encodeCanonical(item)).toEqual(oracle(item));
      }
    }
  });

  test("undefined fields are left out", () => {
    expect(hex({ a: undefined, b: 1 } as unknown as CborValue)).toBe(hex({ b: 1 }));
  });

  test.each([
    [NaN],
    [-Infinity],
    [undefined],
    [[undefined]],
    [Array.from({ length: 1 })],
    [Object.assign([], { length: 2 })],
    [2n ** 64n],
    [-(2n ** 63n) - 1n],
    ["\ud800"],
    ["\ud800".repeat(100)],
    [{ "\udc00": 1 }],
    [new Date(0)],
    [new Map([["a", 1]])],
    [{ a: new Set() }],
    [() => 1],
  ])("%o is refused and not changed", (item) => {
    expect(() => encodeCanonical(item as CborValue)).toThrow(Error);
    // The writer is usable afterwards.
    expect(hex(1)).toBe("01");
  });

  test("a cycle and 129 levels are refused, 128 are not", () => {
    const nested = (levels: number): WireValue => (levels === 0 ? 1 : [nested(levels - 1)]);
    expect(decodeCanonical(encodeCanonical(nested(128)))).toEqual(nested(128));
    expect(() => encodeCanonical(nested(129))).toThrow(RangeError);
    const cycle: WireValue[] = [];
    cycle.push(cycle);
    expect(() => encodeCanonical(cycle)).toThrow(RangeError);
  });

  test("a getter that encodes does not disturb the item around it", () => {
    const item = {
      a: 1,
      get b() {
        return encodeCanonical("inner");
      },
    };
    expect(hex(item)).toBe(hex({ a: 1, b: encodeCanonical("inner") }));
  });

  test("results are not views of a shared buffer", () => {
    const first = encodeCanonical("first");
    const copy = first.slice();
    encodeCanonical("other".repeat(10_000));
    encodeCanonical("other");
    expect(first).toEqual(copy);
    expect(first.buffer.byteLength).toBe(first.length);
  });
});

describe("decodeCanonical", () => {
  test.each([
    ["nothing", ""],
    ["bytes after the item", "0000"],
    ["24 in two bytes", "1817"],
    ["0 in two bytes", "1800"],
    ["255 in three bytes", "1900ff"],
    ["65535 in five bytes", "1a0000ffff"],
    ["2^32-1 in nine bytes", "1b00000000ffffffff"],
    ["-2^63-1", "3b8000000000000000"],
    ["indefinite bytes", "5f4100ff"],
    ["indefinite array", "9fff"],
    ["indefinite map", "bfff"],
    ["a reserved length", "1c"],
    ["not UTF-8", "6180"],
    ["a surrogate in UTF-8", "63eda080"],
    ["overlong UTF-8", "62c1bf"],
    ["keys out of order", "a2616201616102"],
    ["a key twice", "a2616101616102"],
    ["a longer key first", "a262616101616202"],
    ["an integer key", "a10101"],
    ["a key of bytes", "a1410101"],
    ["a map that ends early", "a1"],
    ["a map without its value", "a16161"],
    ["an array that ends early", "82"],
    ["an array longer than the bytes", "9b7fffffffffffffff"],
    ["bytes longer than the bytes", "5b7fffffffffffffff"],
    ["text longer than the bytes", "7a7fffffff61"],
    ["a number that ends early", "19ff"],
    ["infinity", "f97c00"],
    ["NaN", "f97e00"],
    ["infinity in five bytes", "fa7f800000"],
    ["1.5 in five bytes", "fa3fc00000"],
    ["1.5 in nine bytes", "fb3ff8000000000000"],
    ["2^-149 in nine bytes", "fb36a0000000000000"],
    ["undefined", "f7"],
    ["two items", "f4f4"],
    ["a simple value", "f800"],
    ["a break", "ff"],
    ["a tag", "c074"],
    ["200 levels", "81".repeat(200) + "00"],
    ["a hundred thousand levels", "81".repeat(100_000) + "00"],
  ])("%s is refused", (_what, bytes) => {
    expect(() => decodeCanonical(hexToBytes(bytes))).toThrow(SyntaxError);
  });

  test("whatever it accepts is what encodeCanonical writes, and all it throws is a SyntaxError", () => {
    const outcomes = { same: 0, refused: 0, other: 0 };
    const judge = (bytes: Uint8Array): keyof typeof outcomes => {
      try {
        return hex(decodeCanonical(bytes)) === bytesToHex0x(bytes).slice(2) ? "same" : "other";
      } catch (error) {
        return error instanceof SyntaxError ? "refused" : "other";
      }
    };
    const flip = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(value, fc.array(flip, { maxLength: 2 }), (item, flips) => {
        const bytes = encodeCanonical(item);
        for (const [at, byte] of flips) bytes[at % bytes.length] = byte;
        const outcome = judge(bytes);
        outcomes[outcome]++;
        expect(outcome).not.toBe("other");
      }),
      { numRuns: 1000 },
    );
    expect(outcomes.same).toBeGreaterThan(100);
    expect(outcomes.refused).toBeGreaterThan(100);
  });

  test("__proto__ is a key like any other", () => {
    const map = decodeCanonical(
      encodeCanonical(parseJson('{"__proto__":{"polluted":1}}')),
    ) as object;
    expect(Object.keys(map)).toEqual(["__proto__"]);
    expect("polluted" in map).toBe(false);
  });

  test("reads from the middle of a larger buffer and keeps a leading U+FEFF", () => {
    const bytes = encodeCanonical(["\ufeffx", Uint8Array.of(7), 1.5]);
    const around = new Uint8Array(bytes.length + 9).fill(0xff);
    around.set(bytes, 5);
    const decoded = decodeCanonical(around.subarray(5, 5 + bytes.length)) as CborValue[];
    expect(decoded).toStrictEqual(["\ufeffx", Uint8Array.of(7), 1.5]);
    around.fill(0);
    expect(decoded[1]).toEqual(Uint8Array.of(7));
  });
});
