import { moduleFacts } from "../module-facts.ts";
import { sourceFiles, type RepoFile, type Rule } from "../repository.ts";
import { walls } from "../walls.ts";

// Written in pieces, so that no checker takes this line for a suppression.
const suppression = new RegExp(
  ["@ts-(ignore|nocheck|expect-error)", "(oxlint|eslint|biome|oxfmt|prettier)-(disable|ignore)"]
    .concat("(v8|c8|istanbul) ignore")
    .join("|"),
);
const withReason = /--\s*\S+(\s+\S+){2,}|expect-error:?\s+\S+(\s+\S+){2,}/;

/**
 * No `any` and no checker suppression in published source, but for the few that `walls` allows at
 * the seams of frameworks, each with its reason behind `--`.
 */
export const escapeHatches: Rule = (files) =>
  Object.values(walls).flatMap(({ folder, escapes }) => {
    const found = sourceFiles(files, folder).flatMap(escapesOf);
    const unexplained = found.filter(({ explained }) => !explained).map(({ where }) => where);
    if (found.length <= escapes) return unexplained.map((where) => `${where} without a reason`);
    return found.map(({ where }) => `${where}; ${folder} may have ${escapes}`);
  });

interface Escape {
  readonly where: string;
  readonly explained: boolean;
}

/** An `any` under a suppression on the line before it is one escape and not two. */
function escapesOf(file: RepoFile): Escape[] {
  const { anyLines, comments } = moduleFacts(file);
  const suppressions = comments.filter(({ text }) => suppression.test(text));
  const covered = new Set(suppressions.flatMap(({ line }) => [line, line + 1]));
  return [
    ...suppressions.map(({ text, line }) => ({
      where: `${file.path}:${line}: a suppression`,
      explained: withReason.test(text),
    })),
    ...anyLines
      .filter((line) => !covered.has(line))
      .map((line) => ({ where: `${file.path}:${line}: any`, explained: false })),
  ];
}
