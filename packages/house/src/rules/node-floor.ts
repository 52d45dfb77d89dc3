import { sourceFiles, type RepoFile, type Rule } from "../repository.ts";
import { walls } from "../walls.ts";

/** What the newest Node.js runs and the oldest that packages promise does not. */
const beyond: readonly { readonly pattern: RegExp; readonly instead: string }[] = [
  {
    pattern: /^\s*(await )?using \w/,
    instead: "Node.js 22 cannot parse it in source that runs un-built: try and finally",
  },
  {
    pattern: /\b(Async)?DisposableStack\b/,
    instead: "Node.js 22 has none",
  },
  {
    pattern: /[=<>(,+-] ?\?[1-9]\b|\?[1-9] IS\b/,
    instead: "node:sqlite binds numbered parameters from 22.20 on only: plain ? or a name",
  },
];

/** Published source runs, un-built too, on the oldest Node.js of `engines`; `testing` runs inside test runners, which compile it. */
export const nodeFloor: Rule = (files) =>
  Object.values(walls)
    .filter(({ folder }) => folder !== "testing")
    .flatMap(({ folder }) => sourceFiles(files, folder).flatMap(newerThanFloor));

function newerThanFloor({ path, text }: RepoFile): string[] {
  return text
    .split("\n")
    .flatMap((content, index) =>
      content.trimStart().startsWith("*")
        ? []
        : beyond
            .filter(({ pattern }) => pattern.test(content))
            .map(({ instead }) => `${path}:${index + 1}: ${instead}`),
    );
}
