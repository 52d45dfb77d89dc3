import { posix } from "node:path";
import { moduleFacts } from "../module-facts.ts";
import { sourceFiles, type Rule } from "../repository.ts";
import { walls } from "../walls.ts";

/**
 * `index.ts` is the list of what a package promises: named exports and nothing else. Nobody inside
 * the package imports it, so that a module's real dependencies stay visible.
 */
export const indexExports: Rule = (files) =>
  Object.entries(walls).flatMap(([name, { folder }]) => {
    const index = `packages/${folder}/src/index.ts`;
    return sourceFiles(files, folder).flatMap((file) => {
      const facts = moduleFacts(file);
      if (file.path === index) return notAList(index, facts);
      return facts.imports
        .filter(({ specifier }) => specifier === name || resolves(file.path, specifier) === index)
        .map(({ line }) => `${file.path}:${line}: imports its own package's index`);
    });
  });

function notAList(path: string, facts: ReturnType<typeof moduleFacts>): string[] {
  const wrong: string[] = [];
  if (facts.otherStatements > 0) wrong.push(`${path}: has statements other than exports`);
  for (const { name } of facts.exports) {
    if (name === "*") wrong.push(`${path}: export *; name what is exported`);
    if (name === "default") wrong.push(`${path}: has a default export`);
  }
  return wrong;
}

function resolves(from: string, specifier: string): string | undefined {
  return specifier.startsWith(".") ? posix.join(posix.dirname(from), specifier) : undefined;
}
