import type { Rule } from "../repository.ts";

const folders = new Set(["packages", "examples", "docs", ".github", ".ci", ".changeset"]);
const rootFiles = new Set([
  "AGENTS.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "LICENSE",
  "README.md",
  "SECURITY.md",
  "knip.json",
  "package.json",
  "pnpm-lock.yaml",
  "pnpm-workspace.yaml",
  "tsconfig.base.json",
  "tsconfig.json",
  "turbo.json",
  "vitest.config.ts",
]);

/** The top of the repository holds what a stranger expects, and dotted tool configurations. */
export const topLevel: Rule = (files) => {
  const wrong = new Set<string>();
  for (const { path } of files) {
    const [top = "", ...rest] = path.split("/");
    const allowed = rest.length > 0 ? folders.has(top) : rootFiles.has(top) || top.startsWith(".");
    if (!allowed) wrong.add(`${top}: does not belong at the top of the repository`);
  }
  const present = new Set(files.map(({ path }) => path.split("/")[0]));
  const missing = [...folders, ...rootFiles].filter((name) => !present.has(name));
  return [...wrong, ...missing.map((name) => `${name}: missing`)];
};
