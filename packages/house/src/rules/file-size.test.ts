import { expect, test } from "vitest";
import { repositoryOf } from "../repository.ts";
import { fileSize } from "./file-size.ts";

const lines = (count: number): string => "x;\n".repeat(count);

test("catches a long source file, in packages and in examples, but not a long test or generated code", () => {
  const found = fileSize(
    repositoryOf({
      "packages/core/src/long.ts": lines(301),
      "packages/core/src/a.ts": lines(3),
      "packages/core/src/b.ts": lines(3),
      "packages/core/src/long.test.ts": lines(900),
      "packages/core/src/generated/v1/long.ts": lines(900),
      "examples/quickstart/main.ts": lines(301),
    }),
  );
  expect(found).toEqual([
    "packages/core/src/long.ts: 301 lines, at most 300",
    "examples/quickstart/main.ts: 301 lines, at most 300",
  ]);
});

test("catches a median that grows while no file is too long", () => {
  const found = fileSize(
    repositoryOf({
      "packages/core/src/a.ts": lines(5),
      "packages/core/src/b.ts": lines(90),
      "packages/server/src/c.ts": lines(200),
      "packages/house/src/private.ts": lines(1),
    }),
  );
  expect(found).toEqual(["packages: the median source file has 90 lines, at most 89"]);
});

test("catches a framework package that does too much, tests left out", () => {
  const files = {
    "packages/ai-sdk/src/a.ts": lines(80),
    "packages/ai-sdk/src/b.ts": lines(80),
    "packages/ai-sdk/src/c.ts": lines(80),
    "packages/ai-sdk/src/d.ts": lines(9),
    "packages/ai-sdk/src/d.test.ts": lines(80),
  };
  expect(fileSize(repositoryOf(files))).toEqual([]);
  expect(fileSize(repositoryOf({ ...files, "packages/ai-sdk/src/e.ts": "x;" }))).toEqual([
    "packages/ai-sdk: 250 lines of code, at most 249",
  ]);
});

test("blank lines, comments and imports of a framework package do not count", () => {
  const free = `/**
 * Two lines.
 */
import { a } from "a";
import {
  b,
} from "b";
export { c, type D } from "./c.ts";
import "d";

  // Why.
`;
  const files = {
    "packages/ai-sdk/src/a.ts": free + lines(70),
    "packages/ai-sdk/src/b.ts": lines(90),
  };
  expect(fileSize(repositoryOf({ ...files, "packages/ai-sdk/src/c.ts": lines(89) }))).toEqual([]);
  expect(fileSize(repositoryOf({ ...files, "packages/ai-sdk/src/c.ts": lines(90) }))).toContain(
    "packages/ai-sdk: 250 lines of code, at most 249",
  );
});
