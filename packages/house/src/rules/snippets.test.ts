import { expect, test } from "vitest";
import { repositoryOf } from "../repository.ts";
import { snippets } from "./snippets.ts";

const fence = (code: string, mark = ""): string => `# Title\n\n\`\`\`ts${mark}\n${code}\n\`\`\`\n`;
const readme = `import { a } from "a";\n\nconst b = a();\nif (b) {\n  b.end();\n}`;
const tested = [
  "// #region readme",
  `import { a } from "a";`,
  "// #endregion",
  `test("it runs", () => {`,
  "  // #region readme",
  "  const b = a();",
  "  if (b) {",
  "    b.end();",
  "  }",
  "  // #endregion",
  "  expect(b).toBe(1);",
  "});",
].join("\n");

test("a snippet is the parts of one region, whatever their indentation and blank lines", () => {
  const files = {
    "packages/core/README.md": fence(readme),
    "packages/core/src/readme.test.ts": tested,
  };
  expect(snippets(repositoryOf(files))).toEqual([]);
});

test("catches a snippet that drifted, and says where", () => {
  const drifted = fence(readme.replace("b.end()", "b.stop()"));
  const files = { "docs/guide.md": drifted, "examples/quickstart/main.ts": tested };
  expect(snippets(repositoryOf(files))).toEqual([
    `docs/guide.md:3: no region of a test or example has this text; ` +
      `nearest is readme in examples/quickstart/main.ts, until "  b.stop();"`,
  ]);
});

test("catches a snippet that only source has, for source is not run by itself", () => {
  const files = {
    "README.md": fence("one();"),
    "packages/core/src/a.ts": "// #region x\none();\n// #endregion",
  };
  expect(snippets(repositoryOf(files))).toHaveLength(1);
});

test("a fragment need not run, but a README's first snippet must", () => {
  const text = fence("one();", " fragment");
  expect(snippets(repositoryOf({ "docs/guide.md": text }))).toEqual([]);
  expect(snippets(repositoryOf({ "packages/core/README.md": text }))).toHaveLength(1);
  expect(snippets(repositoryOf({ "packages/core/README.md": text + text }))).toHaveLength(1);
});

test("reports and changelogs are no snippets", () => {
  const files = {
    "packages/house/src/pins/core.api.md": fence("export function one(): void;"),
    "packages/core/CHANGELOG.md": fence("one();"),
  };
  expect(snippets(repositoryOf(files))).toEqual([]);
});
