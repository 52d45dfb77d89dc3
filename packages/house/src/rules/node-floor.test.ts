import { expect, test } from "vitest";
import { repositoryOf } from "../repository.ts";
import { nodeFloor } from "./node-floor.ts";

const check = (line: string, path = "packages/server/src/a.ts"): number =>
  nodeFloor(repositoryOf({ [path]: `${line}\n` })).length;

test.each([
  "await using server = await start();",
  "  using lock = take();",
  "const stack = new AsyncDisposableStack();",
  '"SELECT a FROM t WHERE b > ?1 - 2048 AND b <= ?1"',
  '"SELECT substr(?2, 1, 6)"',
  '"WHERE ?1 IS NULL"',
])("catches %s", (line) => {
  expect(check(line)).toBe(1);
});

test.each([
  "// using a lock",
  " * await using x = y();",
  "const x = a ? 1 : b?.[0];",
  '"WHERE a = ? AND b = :name"',
])("allows %s", (line) => {
  expect(check(line)).toBe(0);
});

test("tests and private programs run on the Node.js of the workspace", () => {
  expect(check("await using x = y();", "packages/server/src/a.test.ts")).toBe(0);
  expect(check("await using x = y();", "packages/benchmarks/src/a.ts")).toBe(0);
});
