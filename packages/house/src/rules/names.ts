import { posix } from "node:path";
import { isGenerated, isTest, type Rule } from "../repository.ts";

const drawers = new Set(
  "util utils helper helpers common shared misc type types base lib libs core-utils".split(" "),
);
const kebab = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*$/;
const knownByName = new Set(["README.md", "CHANGELOG.md", "DEPARTURES.md", "LICENSE", "SKILL.md"]);
const ours = /^(packages|examples|docs)\//;

/** Kebab-case names, and folders that say what they hold; generated code and its sources left out. */
export const names: Rule = (files) => {
  const named = files.filter(({ path }) => ours.test(path) && !isGenerated(path));
  const wrong = new Set<string>();
  for (const { path } of named) {
    const file = posix.basename(path);
    if (!kebab.test(file.replace(/^\./, "")) && !knownByName.has(file)) {
      wrong.add(`${path}: file names are kebab-case`);
    }
    for (const folder of foldersOf(path)) {
      const name = posix.basename(folder).replace(/^\./, "");
      if (drawers.has(name)) wrong.add(`${folder}: a drawer; name the role of what is in it`);
      if (!kebab.test(name)) wrong.add(`${folder}: folder names are kebab-case`);
    }
  }
  return [...wrong, ...lonelyFolders(named)];
};

/** A folder of source exists for a role with two or more implementations. */
const lonelyFolders: Rule = (files) => {
  const modules = new Map<string, number>();
  for (const { path } of files) {
    if (!path.endsWith(".ts") || isTest(path)) continue;
    for (const folder of foldersOf(path)) modules.set(folder, (modules.get(folder) ?? 0) + 1);
  }
  return [...modules]
    .filter(([folder, count]) => count < 2 && /^packages\/[^/]+\/src\/./.test(folder))
    .map(([folder]) => `${folder}: a folder for one module; put the module beside its caller`);
};

/** `a/b/c.ts` → `a`, `a/b`. */
function foldersOf(path: string): string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}
