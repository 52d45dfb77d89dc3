import { expect, test } from "vitest";
import { wrongContents } from "./tarballs.ts";

const good = [
  "LICENSE",
  "README.md",
  "package.json",
  "dist/index.js",
  "dist/index.d.ts",
  "dist/index.js.map",
  "src/index.ts",
  "bin/x.js",
];

const manifest = {
  name: "x",
  bin: { x: "./bin/x.js" },
  exports: { ".": { types: "./dist/index.d.ts", default: "./dist/index.js" } },
};

const check = (paths: readonly string[]): string[] =>
  wrongContents(
    { name: "x", version: "0.1.0", filename: "", files: paths.map((path) => ({ path })) },
    manifest,
  );

test("a built package passes", () => {
  expect(check(good)).toEqual([]);
});

test.each([
  "src/guard.test.ts",
  "src/guard.test-d.ts",
  "dist/guard.test.js",
  "dist/guard.test.d.ts",
  "src/testdata/vectors.json",
  "temp/core.api.md",
])("catches %s", (path) => {
  expect(check([...good, path])).toContain(`x: packs ${path}`);
});

test("catches what is missing: a licence, a build, a part of the build", () => {
  expect(check(good.filter((path) => path !== "LICENSE"))).toEqual(["x: lacks LICENSE"]);
  expect(check(good.filter((path) => !path.startsWith("dist/")))).toEqual([
    "x: lacks dist/index.js",
    "x: lacks dist/index.d.ts",
  ]);
  expect(check(good.filter((path) => path !== "bin/x.js"))).toEqual(["x: lacks bin/x.js"]);
  expect(check([...good, "src/guard.ts"])).toEqual(["x: lacks dist/guard.js"]);
});
