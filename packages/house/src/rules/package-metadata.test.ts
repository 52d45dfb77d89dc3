import { expect, test } from "vitest";
import { readRepository, repositoryOf } from "../repository.ts";
import { packageMetadata } from "./package-metadata.ts";

const path = "packages/core/package.json";
const good = JSON.parse(readRepository().find((file) => file.path === path)?.text ?? "") as object;

const build = `{"exclude":["src/**/*.test.ts","src/**/*.test-d.ts"]}`;

const check = (changes: object): string[] =>
  packageMetadata(
    repositoryOf({
      "packages/core/README.md": "",
      "packages/core/src/index.ts": "",
      "packages/core/tsconfig.build.json": build,
      [path]: JSON.stringify({ ...good, ...changes }),
    }),
  );

test("the present manifest passes", () => {
  expect(check({})).toEqual([]);
});

test.each([
  [{ version: "0.0.9" }, "version 0.1.0 or later"],
  [{ license: "MIT" }, "license Apache-2.0"],
  [{ keywords: ["agentkeys"] }, "keywords with agentkeys among them"],
  [{ repository: undefined }, "repository https://github.com/agentkeys/agentkeys-ts"],
  [{ engines: { node: ">=20" } }, "engines.node >=22.19"],
  [{ files: ["dist", "src", "!src/**/*.test-d.ts"] }, "files with !src/**/*.test.ts"],
])("catches %o", (changes, expected) => {
  expect(check(changes)).toContain(`${path}: expected ${expected}`);
});

test.each([
  { ".": "./src/index.ts" },
  { ".": { types: "./dist/a.d.ts", "@agentkeys/source": "./src/a.ts", default: "./dist/a.js" } },
  { ".": { "@agentkeys/source": "./src/a.ts", types: "./dist/b.d.ts", default: "./dist/a.js" } },
])("catches the exports %o", (exports) => {
  expect(check({ exports })).toHaveLength(1);
});

test("catches a file that is built and not published", () => {
  const files = [
    "dist",
    "src",
    "!src/**/*.test.ts",
    "!src/**/*.test-d.ts",
    "!src/**/testdata/**",
    "!src/generate.ts",
  ];
  expect(check({ files })).toHaveLength(1);
});

test("catches a package without README, and two versions", () => {
  const other = JSON.stringify({ ...good, version: "0.2.0" });
  const files = repositoryOf({
    [path]: JSON.stringify(good),
    "packages/server/package.json": other,
  });
  const found = packageMetadata(files);
  expect(found).toContain("packages/core/README.md: missing");
  expect(found).toContain("packages: released together, but at 0.1.0, 0.2.0");
});

test("private packages are not published", () => {
  const files = repositoryOf({ "packages/house/package.json": `{"name":"x","private":true}` });
  expect(packageMetadata(files)).toEqual([]);
});
