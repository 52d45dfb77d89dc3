import { expect, test } from "vitest";
import { repositoryOf } from "../repository.ts";
import { exportPins, pinsPath, readPins } from "./export-pins.ts";

const exports = {
  ".": { "@agentkeys/source": "./src/index.ts", types: "" },
  "./langchain": { "@agentkeys/source": "./src/langchain.ts", types: "" },
  "./main": { "@agentkeys/source": "./src/langchain.ts" },
  "./package.json": "./package.json",
};
const files = {
  "packages/testing/package.json": JSON.stringify({ name: "@agentkeys/testing", exports }),
  "packages/testing/src/index.ts": `export { b, type A } from "./a.ts";\nexport { a } from "./a.ts";\n`,
  "packages/testing/src/langchain.ts": `export function driver() {}\n`,
};
const pins = {
  "@agentkeys/testing": { values: ["a", "b"], types: ["A"] },
  "@agentkeys/testing/langchain": { values: ["driver"], types: [] },
};

test("reads values and types of every entry point", () => {
  expect(readPins(repositoryOf(files))).toEqual(pins);
  expect(exportPins(repositoryOf({ ...files, [pinsPath]: JSON.stringify(pins) }))).toEqual([]);
});

test("catches an export that came, one that went and one that became a type", () => {
  const before = { ...pins, "@agentkeys/testing": { values: ["a", "A", "gone"], types: [] } };
  const found = exportPins(repositoryOf({ ...files, [pinsPath]: JSON.stringify(before) }));
  expect(found.map((line) => line.replace(/^.*json: /, "").replace(/ \(accept.*/, ""))).toEqual([
    "@agentkeys/testing exports b, not pinned",
    "@agentkeys/testing exports type A, not pinned",
    "@agentkeys/testing no longer exports A",
    "@agentkeys/testing no longer exports gone",
  ]);
});
