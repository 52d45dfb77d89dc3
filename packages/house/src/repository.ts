import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** One file as a rule sees it. `path` is relative to the repository root, with forward slashes. */
export interface RepoFile {
  readonly path: string;
  readonly text: string;
}

/** A rule of the house: what it returns are the violations, each starting with the path at fault. */
export type Rule = (files: readonly RepoFile[]) => string[];

export const repositoryRoot = fileURLToPath(new URL("../../../", import.meta.url));

/**
 * Every file that is committed or would be: tracked, plus untracked and not ignored, so that a rule
 * fails before the commit and not after it.
 */
export function readRepository(): readonly RepoFile[] {
  const args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const listed = execFileSync("git", args, { cwd: repositoryRoot, maxBuffer: 64 * 1024 * 1024 });
  const paths = new Set(listed.toString("utf8").split("\0"));
  return [...paths]
    .filter((path) => path !== "" && existsSync(repositoryRoot + path))
    .toSorted()
    .map((path) => ({ path, text: readFileSync(repositoryRoot + path, "utf8") }));
}

/** A made-up repository, for the tests of the rules. */
export function repositoryOf(files: Readonly<Record<string, string>>): readonly RepoFile[] {
  return Object.entries(files).map(([path, text]) => ({ path, text }));
}

/** Tests, the suites that several tests run, and what only tests use: none of it is published. */
const testFile = /\.(test|test-d|test-kit|suite)\.ts$/;

export function isTest(path: string): boolean {
  return testFile.test(path);
}

/** What a generator wrote, or reads: its names and lengths follow another tool's conventions. */
export function isGenerated(path: string): boolean {
  return /(^|\/)(generated|proto)\//.test(path);
}

/** TypeScript under `packages/<folder>/src`, tests and generated code left out; all packages without `folder`. */
export function sourceFiles(files: readonly RepoFile[], folder = "[^/]+"): readonly RepoFile[] {
  const inSource = new RegExp(`^packages/${folder}/src/.*\\.ts$`);
  return files.filter(({ path }) => inSource.test(path) && !isTest(path) && !isGenerated(path));
}

/** Lines as an editor counts them: a final newline starts no further line. */
export function lineCount(text: string): number {
  if (text === "") return 0;
  return text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
}

/** Lines that do something: no blank ones, no comments, no imports and re-exports. Nobody should save on those. */
export function codeLineCount(text: string): number {
  const code = text
    .replaceAll(/\/\*[^]*?\*\//g, "")
    .replaceAll(/^\s*\/\/.*$/gm, "")
    .replaceAll(/^(?:import|export)\b[^;]*?\bfrom "[^"]+";$/gm, "")
    .replaceAll(/^import "[^"]+";$/gm, "");
  return code.split("\n").filter((line) => line.trim() !== "").length;
}
