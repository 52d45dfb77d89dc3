import { expect, test } from "vitest";
import { repositoryOf } from "../repository.ts";
import { importCycles } from "./import-cycles.ts";

const a = "packages/core/src/a.ts";
const b = "packages/core/src/b.ts";
const c = "packages/core/src/deep/c.ts";

test("catches a cycle through type imports and folders", () => {
  const found = importCycles(
    repositoryOf({
      [a]: `import { b } from "./b.ts";\n`,
      [b]: `export { c } from "./deep/c.ts";\n`,
      [c]: `import type { A } from "../a.ts";\n`,
    }),
  );
  expect(found).toEqual([`${a}: import cycle ${[a, b, c, a].join(" -> ")}`]);
});

test("catches a module that imports itself", () => {
  expect(importCycles(repositoryOf({ [a]: `import "./a.ts";\n` }))).toHaveLength(1);
});

test("a module with two users is no cycle", () => {
  const files = {
    [a]: `import "./b.ts";\nimport "./deep/c.ts";\n`,
    [b]: `import "./deep/c.ts";\n`,
    [c]: `import { readFile } from "node:fs";\n`,
  };
  expect(importCycles(repositoryOf(files))).toEqual([]);
});
