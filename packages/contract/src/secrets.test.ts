import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createSecrets } from "./secrets.ts";

const key = 'sk-live-4f9a/x+y"z\n77';
const secrets = createSecrets();
secrets.learn("openrouter", key);
const clean = "[secret:openrouter]";

describe("scrub", () => {
  test.each([
    ["in clear", key],
    ["in JSON", JSON.stringify({ key }).slice(8, -2)],
    ["in a URL", encodeURIComponent(key)],
    ["in base64", Buffer.from(key).toString("base64").replace(/=+$/, "")],
    ["in base64url", Buffer.from(key).toString("base64url")],
  ])("%s, anywhere in a text, more than once", (_, form) => {
    expect(secrets.scrub(`a${form}b${form}`)).toBe(`a${clean}b${clean}`);
  });

  test("in nested data, names of fields too; what is not concerned stays the same object", () => {
    const untouched = { list: [1, "sk-live", null] };
    expect(secrets.scrub({ a: [`x ${key}`], [key]: 1, untouched })).toEqual({
      a: [`x ${clean}`],
      [clean]: 1,
      untouched,
    });
    expect(secrets.scrub(untouched)).toBe(untouched);
  });

  test("a value that contains itself, and what is computed or of a class, do no harm", () => {
    class Box {
      inside = key;
    }
    const box = new Box();
    const ring: Record<string, unknown> = { key, box };
    ring["self"] = ring;
    Object.defineProperty(ring, "computed", {
      enumerable: true,
      get: () => {
        throw new Error("nobody may run this");
      },
    });
    const scrubbed = secrets.scrub(ring);
    expect(scrubbed["key"]).toBe(clean);
    expect(scrubbed["self"]).toBe(scrubbed);
    expect(scrubbed["box"]).toBe(box);
    expect(ring["key"]).toBe(key);
  });

  test("nothing of a known value is left in any plain data", () => {
    const known = createSecrets();
    const values = ["hunter2-hunter2", "$(rm) [a-z]*", "hunter2-hunter2-and-more", "ünïcödé😀x"];
    for (const value of values) known.learn("x", value);
    const text = fc
      .array(fc.oneof(fc.constantFrom(...values), fc.string({ maxLength: 4 })), { maxLength: 4 })
      .map((parts) => parts.join(" "));
    const data = fc.letrec((tie) => ({
      any: fc.oneof(
        { depthSize: "small" },
        text,
        fc.integer(),
        fc.constant(null),
        fc.array(tie("any"), { maxLength: 3 }),
        fc.dictionary(text, tie("any"), { maxKeys: 3 }),
      ),
    })).any;
    fc.assert(
      fc.property(data, (value) => {
        const left = JSON.stringify(known.scrub(value)) ?? "";
        for (const secret of values) {
          expect(left).not.toContain(JSON.stringify(secret).slice(1, -1));
        }
      }),
    );
  });
});

describe("scrubError", () => {
  test("the errors that an error gathers are scrubbed too", () => {
    const inner = new Error(`one ${key}`, { cause: new Error(`why ${key}`) });
    const error = new AggregateError([inner, `two ${key}`], "many");
    expect(secrets.scrubError(error)).toBe(error);
    expect(error.errors).toEqual([inner, "two [secret:openrouter]"]);
    for (const text of [inner.message, inner.stack, (inner.cause as Error).message]) {
      expect(text).not.toContain(key);
    }
  });

  test("the same error, without the value in message, stack, fields and causes", () => {
    class HttpError extends Error {
      readonly response = { headers: { authorization: `Bearer ${key}` } };
    }
    const cause = new Error(`inner ${key}`);
    const error = new HttpError(`refused ${key}`, { cause });
    cause.cause = error;
    expect(secrets.scrubError(error)).toBe(error);
    expect(error).toBeInstanceOf(HttpError);
    expect(error.message).toBe(`refused ${clean}`);
    expect(error.response.headers.authorization).toBe(`Bearer ${clean}`);
    for (const text of [error.stack, cause.message, cause.stack]) expect(text).not.toContain(key);
  });

  test("an error that cannot be changed is replaced", () => {
    const frozen = Object.freeze(new TypeError(`refused ${key}`));
    const replaced = secrets.scrubError(frozen) as Error;
    expect([replaced.name, replaced.message]).toEqual(["TypeError", `refused ${clean}`]);
    expect(replaced.stack).not.toContain(key);
  });

  test("whatever else was thrown is scrubbed as data", () => {
    expect(secrets.scrubError(`no ${key}`)).toBe(`no ${clean}`);
    expect(secrets.scrubError({ code: 7, key })).toEqual({ code: 7, key: clean });
    expect(secrets.scrubError(undefined)).toBeUndefined();
  });
});

describe("learn", () => {
  test("short values are not remembered, and with none there is nothing to do", () => {
    const none = createSecrets();
    none.learn("pin", "1234567");
    expect(none.size).toBe(0);
    expect(none.scrub("1234567")).toBe("1234567");
  });

  test("the last name of a value holds, and the oldest of too many values is forgotten", () => {
    const many = createSecrets();
    many.learn("first", "value-of-0000");
    many.learn("renamed", "value-of-0000");
    expect(many.scrub("value-of-0000")).toBe("[secret:renamed]");
    for (let i = 1; i <= 1000; i++) many.learn("n", `value-of-${`${i}`.padStart(4, "0")}`);
    expect(many.size).toBe(1000);
    expect(many.scrub("value-of-0000 value-of-1000")).toBe("value-of-0000 [secret:n]");
  });
});
