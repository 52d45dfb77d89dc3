import { expect, test } from "vitest";
import { repositoryOf } from "../repository.ts";
import { packageImports } from "./package-imports.ts";

const published = { files: ["dist", "src", "!src/**/*.test.ts", "!src/generate.ts"] };
const exported = { ".": {}, "./mastra": {} };
const manifests = {
  "packages/core/package.json": JSON.stringify({
    ...published,
    name: "@agentkeys/core",
    exports: exported,
    dependencies: { undici: "catalog:" },
    devDependencies: { "@agentkeys/testing": "workspace:^" },
  }),
  "packages/testing/package.json": JSON.stringify({
    name: "@agentkeys/testing",
    exports: exported,
  }),
  "packages/contract/package.json": JSON.stringify({ ...published, name: "@agentkeys/contract" }),
  "examples/quickstart/package.json": JSON.stringify({
    name: "@agentkeys-example/quickstart",
    private: true,
    dependencies: { "@agentkeys/core": "workspace:^" },
  }),
};

const check = (path: string, text: string): string[] =>
  packageImports(repositoryOf({ ...manifests, [path]: text })).map((wrong) =>
    wrong.slice(path.length),
  );

test("catches undeclared imports, of values and of types", () => {
  const text = `import type { A } from "zod";\nexport { b } from "lodash/b";\n`;
  expect(check("packages/core/src/a.ts", text)).toEqual([
    ":1: zod is not declared for this file",
    ":2: lodash/b is not declared for this file",
  ]);
});

test("catches a devDependency in what is published, and allows it in a test", () => {
  const text = `import { mockAuthority } from "@agentkeys/testing";\n`;
  expect(check("packages/core/src/a.ts", text)).toEqual([
    ":1: @agentkeys/testing is not declared for this file",
  ]);
  expect(check("packages/core/src/a.test.ts", text)).toEqual([]);
});

test("catches the way into another package", () => {
  const text = [
    `import { a } from "../../testing/src/a.ts";`,
    `import { b } from "@agentkeys/testing/src/b.ts";`,
    `import { c } from "@agentkeys/testing/mastra";`,
    `const url = new URL("../../testing/src/main.ts", import.meta.url);`,
  ].join("\n");
  expect(check("packages/core/src/a.test.ts", text)).toEqual([
    ":1: ../../testing/src/a.ts leaves the package",
    ":2: @agentkeys/testing/src/b.ts is no published entry point",
    ":1: reaches into packages/testing/src/a.ts",
    ":4: reaches into packages/testing/src/main.ts",
  ]);
});

test("catches an example that uses more than published entry points", () => {
  const text = `import { a } from "@agentkeys/core/src/a.ts";\nimport "../three-acts/main.ts";\n`;
  expect(check("examples/quickstart/main.ts", text)).toEqual([
    ":1: @agentkeys/core/src/a.ts is no published entry point",
    ":2: ../three-acts/main.ts leaves the package",
  ]);
});

test("catches published source that needs a file outside the tarball", () => {
  const text = `import { a } from "./a.test.ts";\nimport { b } from "./generate.ts";\n`;
  expect(check("packages/core/src/a.ts", text)).toEqual([
    ":1: ./a.test.ts is not in the tarball, and this file is",
    ":2: ./generate.ts is not in the tarball, and this file is",
  ]);
  expect(check("packages/core/src/b.test.ts", text)).toEqual([]);
});

test("catches Node.js in the contract, but not in what is not published", () => {
  const text = `import { readFileSync } from "node:fs";\n`;
  expect(check("packages/contract/src/a.ts", text)).toEqual([
    ":1: node:fs is a Node.js built-in, and contract runs everywhere",
  ]);
  expect(check("packages/contract/src/a.test.ts", text)).toEqual([]);
  expect(check("packages/contract/src/generate.ts", text)).toEqual([]);
  expect(check("packages/core/src/a.ts", `import fs from "fs";\n`)).toEqual([
    ":1: fs is written node:…",
  ]);
});
