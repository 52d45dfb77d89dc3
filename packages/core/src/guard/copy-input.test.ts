import { runInNewContext } from "node:vm";
import { inputDigest, type JsonValue } from "@agentkeys/contract";
import fc from "fast-check";
import { expect, test } from "vitest";
import { copyInput } from "./copy-input.ts";

const plain = fc.jsonValue({ maxDepth: 6 });

test("a copy of plain JSON is what structuredClone makes, and shares nothing", () => {
  fc.assert(
    fc.property(plain, (value) => {
      const { value: copy, json } = copyInput(value);
      expect(copy).toEqual(structuredClone(value));
      expect(json).toBe(copy);
      expect(inputDigest(copy as JsonValue)).toBe(inputDigest(value as JsonValue));
      expect(shared(value, copy)).toBe(false);
    }),
  );
});

function shared(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || a === null || typeof b !== "object" || b === null) return false;
  if (a === b) return true;
  return Object.keys(a).some((key) => shared(a[key as never], b[key as never]));
}

test("what happens to the original afterwards changes nothing", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), plain), fc.string(), (value, key) => {
      const before = inputDigest(value as JsonValue);
      const { value: copy } = copyInput(value);
      value[key] = { changed: true };
      for (const field of Object.values(value)) if (Array.isArray(field)) field.push("changed");
      expect(inputDigest(copy as JsonValue)).toBe(before);
    }),
  );
});

test("dates are copied as dates and digested as their texts", () => {
  const date = new Date("2026-05-03T04:05:06.789Z");
  const { value, json } = copyInput({ when: date, list: [date], plain: 1 });
  expect(value).toEqual({ when: date, list: [date], plain: 1 });
  expect((value as { when: Date }).when).not.toBe(date);
  const text = "2026-05-03T04:05:06.789Z";
  expect(json).toEqual({ when: text, list: [text], plain: 1 });
});

test("a field that is undefined is an absent one; no input is an empty one", () => {
  const { value } = copyInput({ a: undefined, b: 1 });
  expect(Object.keys(value as object)).toEqual(["b"]);
  expect(copyInput(undefined).value).toEqual({});
});

test("a __proto__ key stays a field and changes no prototype", () => {
  const { value } = copyInput(
    JSON.parse('{"__proto__":{"admin":true},"constructor":{"prototype":1}}'),
  );
  const copy = value as Record<string, unknown>;
  expect(copy["admin"]).toBeUndefined();
  expect(Object.hasOwn(copy, "__proto__")).toBe(true);
  expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
  expect({}).not.toHaveProperty("admin");
});

test("objects of another realm, and those without a prototype, are plain", () => {
  const foreign: unknown = runInNewContext(`({ a: [1, { b: "x" }], c: null })`);
  expect(copyInput(foreign).value).toEqual({ a: [1, { b: "x" }], c: null });
  const bare = Object.assign(Object.create(null) as object, { a: 1 });
  expect(copyInput(bare).value).toEqual({ a: 1 });
});

test("each property is read once, so a proxy cannot give two answers", () => {
  let reads = 0;
  const target = { price: 200 };
  const shifty = new Proxy(target, {
    getOwnPropertyDescriptor(object, key) {
      const property = Reflect.getOwnPropertyDescriptor(object, key);
      return property && { ...property, value: 600 };
    },
    get: () => (++reads === 1 ? 200 : 600),
  });
  const { value, json } = copyInput({ order: shifty });
  expect(value).toEqual({ order: { price: 200 } });
  expect(json).toBe(value);
  expect(reads).toBe(1);
});

class Order {
  price = 200;
}
class List extends Array<number> {}
class Day extends Date {}
const cycle: Record<string, unknown> = { a: 1 };
cycle["self"] = cycle;
const ring: unknown[] = [];
ring.push(ring, ring);
let bomb: unknown = "x";
for (let i = 0; i < 60; i++) bomb = [bomb, bomb];
const canary = "CANARY";

const refused: Record<string, unknown> = {
  "a Map": new Map([["price", 600]]),
  "a Set": new Set([1]),
  "a class instance": new Order(),
  "a subclass of Array": List.from([1]),
  "a subclass of Date": new Day(),
  "an invalid date": new Date(Number.NaN),
  "a date with fields": Object.assign(new Date(0), { price: 1 }),
  "a function": () => 1,
  "a symbol": Symbol("s"),
  "a bigint": 1n,
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  "a typed array": new Uint8Array(2),
  "a RegExp": /x/,
  "an Error": new Error(canary),
  "a promise": Promise.resolve(1),
  "a WeakMap": new WeakMap(),
  "a boxed string": new Object("text"),
  "a getter": {
    get price() {
      return 600;
    },
  },
  "a getter in a list": Object.defineProperty([1], 0, { get: () => 600, enumerable: true }),
  "a getter of a name that objects have": Object.defineProperty({}, "__proto__", {
    get: () => 600,
    enumerable: true,
  }),
  "a symbol key": { [Symbol("s")]: 1 },
  "undefined in a list": [undefined],
  "a list with a hole": Array(2),
  "a list with a named field": Object.assign([1], { total: 2 }),
  "a list without a prototype": Object.setPrototypeOf([1], null),
  "a match": /x/.exec("x"),
  "an object that inherits fields": Object.create({ price: 600 }),
  "a cycle": cycle,
  "a cycle of lists": ring,
  "few references that spell out a tree without end": bomb,
  "deep nesting": JSON.parse(`${"[".repeat(500)}${"]".repeat(500)}`),
  "more levels than a message has room for": JSON.parse(`${"[".repeat(126)}${"]".repeat(126)}`),
  "half a character": "price 6\ud83d",
  "half a character in a name": { "\udfff": 1 },
  "a proxy that throws": new Proxy(
    {},
    {
      ownKeys() {
        throw new Error(canary);
      },
    },
  ),
  "a revoked proxy": (() => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  })(),
};

test.each(Object.entries(refused))("%s is refused, alone and inside", (_, value) => {
  for (const input of [value, { deep: [{ value }] }]) {
    expect(() => copyInput(input)).toThrow(
      expect.objectContaining({
        code: "input_not_copyable",
        message: expect.not.stringContaining(canary) as string,
      }) as Error,
    );
  }
});

test("the refusal is short and well-formed text, whatever the input's names are", () => {
  for (const name of ["\ud800", "x".repeat(1_000_000), `${"x".repeat(31)}😀`]) {
    expect(() => copyInput({ [name]: new Map() })).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(/^[ -~]{1,100}$/) as string,
      }) as Error,
    );
  }
});

test("the refusal says where", () => {
  expect(() => copyInput({ items: [{ when: new Map() }] })).toThrow(
    "input.items[0].when is an instance",
  );
});
