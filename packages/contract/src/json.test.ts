import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  JsonFloat,
  parseJson,
  stringifyJson,
  stringifySorted,
  toJsonValue,
  type WireValue,
} from "./json.ts";

const float = (value: number): JsonFloat => new JsonFloat(value);

const wireScalar = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.maxSafeInteger(),
  fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .map((x) => (Number.isInteger(x) ? float(x) : x)),
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
  fc.bigInt({ min: -(2n ** 63n), max: -(2n ** 53n) }),
  fc.string({ unit: "grapheme" }),
);
const wireValue: fc.Arbitrary<WireValue> = fc.letrec<{ value: WireValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    wireScalar,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(
      fc.oneof(fc.string({ unit: "grapheme" }), fc.constant("__proto__")),
      tie("value"),
      {
        maxKeys: 4,
        noNullPrototype: true,
      },
    ),
  ),
})).value;

describe("parseJson", () => {
  test.each<[string, WireValue]>([
    ["1", 1],
    ["-1", -1],
    ["1.0", float(1)],
    ["[600.0]", [float(600)]],
    ["1e2", float(100)],
    ["[1E2]", [float(100)]],
    ["0.5", 0.5],
    ["[-1.25]", [-1.25]],
    ["-0", float(-0)],
    ["[ \n-0 ]", [float(-0)]],
    ["-0.0", float(-0)],
    ["0", 0],
    ['{"a":1e-400}', { a: float(0) }],
    ["9007199254740991", 9007199254740991],
    ["9007199254740992", 9007199254740992n],
    ["[1,-9007199254740993]", [1, -9007199254740993n]],
    ["18446744073709551615", 18446744073709551615n],
    ["18446744073709551616", float(2 ** 64)],
    ["-9223372036854775808", -(2n ** 63n)],
    ["-9223372036854775809", float(-(2 ** 63))],
    ["1" + "0".repeat(300), float(1e300)],
    ['{"a":1,"a":2}', { a: 2 }],
    ['{"a":1.0,"a":2}', { a: 2 }],
    ['{"a":1,"a":2.0}', { a: float(2) }],
    ['{"a":[{"b":1.0},{"b":1.0,"b":3}],"a":[1,2.0]}', { a: [1, float(2)] }],
    ['{"x":"0x1e05","y":1}', { x: "0x1e05", y: 1 }],
    ['{"x":",1.0"}', { x: ",1.0" }],
    ['"\\ud83d\\ude00"', "😀"],
    ['{"\\u00e9":1.0}', { é: float(1) }],
    [" null ", null],
  ])("%s", (text, value) => {
    expect(parseJson(text)).toStrictEqual(value);
  });

  test.each([
    ["1E400", "number out of range"],
    ['{"a":-1e400}', "number out of range"],
    ["9".repeat(400), "number out of range"],
    ['"\\ud800"', "lone surrogate in a string"],
    ['{"a":["\\uDC00\\uD800"]}', "lone surrogate in a string"],
    ['{"\\ud800":1}', "lone surrogate in a string"],
    ['"\ud800"', "lone surrogate in a string"],
    ["", "invalid JSON"],
    ['{"secret":"hunter2",}', "invalid JSON"],
    ["[1.0,]", "invalid JSON"],
    ["01", "invalid JSON"],
    ["NaN", "invalid JSON"],
  ])("%s is refused with a text that quotes nothing", (text, message) => {
    expect(() => parseJson(text)).toThrow(new SyntaxError(message));
  });

  test("127 levels are read, 128 and half a million are refused, whatever they hold", () => {
    for (const inner of ["", "1.0", '"\\ud83d\\ude00"']) {
      const nested = (levels: number): string => "[".repeat(levels) + inner + "]".repeat(levels);
      expect(stringifyJson(parseJson(nested(127)))).toHaveLength(
        nested(127).length - (inner.startsWith('"') ? 10 : 0),
      );
      expect(() => parseJson(nested(128))).toThrow(SyntaxError);
      expect(() => parseJson(nested(500_000))).toThrow(SyntaxError);
    }
    expect(parseJson(`[${"[],{},".repeat(500)}1]`)).toHaveLength(1001);
    expect(() => parseJson('{"a":'.repeat(128) + "1" + "}".repeat(128))).toThrow(SyntaxError);
  });

  test.each(['{"__proto__":{"polluted":1}}', '{"__proto__":{"polluted":1.0}}'])(
    "%s sets no prototype",
    (text) => {
      const value = parseJson(text) as Record<string, WireValue>;
      for (const object of [value, toJsonValue(value) as object]) {
        expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
        expect(Object.keys(object)).toEqual(["__proto__"]);
        expect("polluted" in object).toBe(false);
      }
      expect(stringifyJson(value)).toBe(text);
    },
  );

  test("plain JSON is read as JSON.parse reads it", () => {
    fc.assert(
      fc.property(fc.json({ stringUnit: "grapheme" }), (text) => {
        expect(JSON.stringify(toJsonValue(parseJson(text)))).toBe(JSON.stringify(JSON.parse(text)));
      }),
    );
  });

  test("blanks around a literal hide no float", () => {
    const blanks = fc.string({ unit: fc.constantFrom(" ", "\t", "\n", "\r"), maxLength: 4 });
    fc.assert(
      fc.property(
        blanks,
        blanks,
        fc.constantFrom("600.0", "6e2", "600.00E0"),
        (before, after, literal) => {
          const padded = before + literal + after;
          expect(parseJson(padded)).toStrictEqual(float(600));
          expect(parseJson(`[0,${padded}]`)).toStrictEqual([0, float(600)]);
          expect(parseJson(`{"a" :${padded}}`)).toStrictEqual({ a: float(600) });
        },
      ),
    );
  });
});

describe("stringifyJson", () => {
  test.each<[WireValue, string]>([
    [600, "600"],
    [float(600), "600.0"],
    [float(-0), "-0.0"],
    [-0, "-0.0"],
    [float(2 ** 64), "1.8446744073709552e19"],
    [float(1e15), "1000000000000000.0"],
    [float(1e16), "1e16"],
    [float(-1.5e300), "-1.5e300"],
    [1e21, "1e21"],
    [0.5, "0.5"],
    [123456.789, "123456.789"],
    [0.00001, "0.00001"],
    [0.000001, "1e-6"],
    [5e-324, "5e-324"],
    [2n ** 64n - 1n, "18446744073709551615"],
    [{ b: 1, a: float(1), c: [1n, "é\n"] }, '{"b":1,"a":1.0,"c":[1,"é\\n"]}'],
  ])("%o", (value, text) => {
    expect(stringifyJson(value)).toBe(text);
  });

  test("a parsed text is printed and read back unchanged", () => {
    fc.assert(
      fc.property(wireValue, (value) => {
        expect(isDeepStrictEqual(parseJson(stringifyJson(value)), value)).toBe(true);
        expect(isDeepStrictEqual(parseJson(stringifySorted(value)), value)).toBe(true);
      }),
    );
  });

  test("JSON.stringify prints the bare value of a JsonFloat", () => {
    expect(JSON.stringify({ a: float(600) })).toBe('{"a":600}');
  });

  test("undefined fields are left out", () => {
    const value = { a: undefined, b: 1, c: { d: undefined } } as unknown as WireValue;
    expect(stringifyJson(value)).toBe('{"b":1,"c":{}}');
    expect(stringifySorted([float(1), value])).toBe('[1.0,{"b":1,"c":{}}]');
  });

  test.each([
    [NaN],
    [Infinity],
    [[undefined]],
    [Object.assign([], { length: 2 })],
    [new Date(0)],
    [new Map()],
    [() => 1],
    [undefined],
    [{ a: Symbol("x") }],
  ])("%o is refused and not changed", (value) => {
    expect(() => stringifyJson(value as WireValue)).toThrow(TypeError);
    expect(() => stringifySorted(value as WireValue)).toThrow(TypeError);
  });

  test("an object of another realm or without a prototype is plain", () => {
    const bare = Object.assign(Object.create(null) as object, { a: 1 }) as WireValue;
    expect(stringifyJson(bare)).toBe('{"a":1}');
  });
});

describe("stringifySorted", () => {
  test("sorts the keys of every object by UTF-8 bytes", () => {
    const value = {
      "\u{1f600}": 1,
      "\uffee": 2,
      b: { z: 1, é: 2, a: 3 },
      aa: [{ y: 1, x: 2 }],
      "": 0,
    };
    expect(stringifySorted(value)).toBe(
      '{"":0,"aa":[{"x":2,"y":1}],"b":{"a":3,"z":1,"é":2},"\uffee":2,"\u{1f600}":1}',
    );
  });
});

describe("toJsonValue", () => {
  test("rounds bigint and unwraps floats, at any depth", () => {
    expect(
      toJsonValue({ a: [2n ** 64n - 1n, float(600), 0.5], b: { c: float(1) }, d: null }),
    ).toStrictEqual({
      a: [2 ** 64, 600, 0.5],
      b: { c: 1 },
      d: null,
    });
  });
});
