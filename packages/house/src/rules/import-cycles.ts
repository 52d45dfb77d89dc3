import { posix } from "node:path";
import { moduleFacts } from "../module-facts.ts";
import { isTest, type RepoFile, type Rule } from "../repository.ts";

/** No cycle among the modules of a package, type imports counted: two modules that need each other are one. */
export const importCycles: Rule = (files) => {
  const modules = files.filter(
    ({ path }) => /^(packages|examples)\/.*\.ts$/.test(path) && !isTest(path),
  );
  const targets = new Map(modules.map((file) => [file.path, relativeImports(file)]));
  const done = new Set<string>();
  const cycles: string[] = [];

  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) cycles.push([...trail.slice(start), path].join(" -> "));
    if (start >= 0 || done.has(path)) return;
    for (const next of targets.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const { path } of modules) visit(path, []);
  return cycles.map((cycle) => `${cycle.split(" ")[0]}: import cycle ${cycle}`);
};

function relativeImports(file: RepoFile): string[] {
  return moduleFacts(file)
    .imports.filter(({ specifier }) => specifier.startsWith("."))
    .map(({ specifier }) => posix.join(posix.dirname(file.path), specifier));
}
