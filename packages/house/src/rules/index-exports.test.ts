import { expect, test } from "vitest";
import { repositoryOf } from "../repository.ts";
import { indexExports } from "./index-exports.ts";

const index = "packages/core/src/index.ts";

test("catches what is no list of names", () => {
  const text = `export * from "./a.ts";\nexport { b as default } from "./b.ts";\nconst c = 1;\n`;
  expect(indexExports(repositoryOf({ [index]: text }))).toEqual([
    `${index}: has statements other than exports`,
    `${index}: export *; name what is exported`,
    `${index}: has a default export`,
  ]);
});

test("catches an import of the own index, by path and by name", () => {
  const found = indexExports(
    repositoryOf({
      [index]: `export { a, type B } from "./deep/a.ts";\n`,
      "packages/core/src/deep/a.ts": `import type { B } from "../index.ts";\n`,
      "packages/core/src/b.ts": `const core = await import("@agentkeys/core");\n`,
      "packages/core/src/b.test.ts": `import { a } from "./index.ts";\n`,
      "packages/server/src/c.ts": `import { a } from "@agentkeys/core";\n`,
    }),
  );
  expect(found).toEqual([
    "packages/core/src/deep/a.ts:1: imports its own package's index",
    "packages/core/src/b.ts:1: imports its own package's index",
  ]);
});
