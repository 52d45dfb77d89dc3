import { expect, test } from "vitest";
import { repositoryOf } from "../repository.ts";
import { escapeHatches } from "./escape-hatches.ts";

const ignore = ["// @ts", "ignore"].join("-");
const disable = ["// oxlint", "disable", "next-line typescript/no-explicit-any"].join("-");

test("catches any and suppressions where none are allowed", () => {
  const files = {
    "packages/core/src/a.ts": `export const a = {} as any;\n${ignore}\nexport const b = 1;\n`,
    "packages/server/src/b.ts": `${disable} -- reasons do not help here\nexport type B = any;\n`,
    "packages/core/src/a.test.ts": `const a: any = 1;\n`,
  };
  expect(escapeHatches(repositoryOf(files))).toEqual([
    "packages/core/src/a.ts:2: a suppression; core may have 0",
    "packages/core/src/a.ts:1: any; core may have 0",
    "packages/server/src/b.ts:1: a suppression; server may have 0",
  ]);
});

test("any in a text or a comment is no escape", () => {
  const text = `// any tool\nexport const a = "as any";\n`;
  expect(escapeHatches(repositoryOf({ "packages/core/src/a.ts": text }))).toEqual([]);
});

test("a framework's seam may have one, with a reason", () => {
  const seam = (reason: string): Record<string, string> => ({
    "packages/mastra/src/a.ts": `${disable}${reason}\nexport type A = any;\n`,
  });
  expect(escapeHatches(repositoryOf(seam(" -- Mastra's own parameter is any")))).toEqual([]);
  expect(escapeHatches(repositoryOf(seam("")))).toEqual([
    "packages/mastra/src/a.ts:1: a suppression without a reason",
  ]);
  const two = {
    ...seam(" -- one is enough here"),
    "packages/mastra/src/b.ts": "export type B = any;\n",
  };
  expect(escapeHatches(repositoryOf(two))).toHaveLength(2);
});
