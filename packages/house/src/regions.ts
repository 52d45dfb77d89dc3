import type { RepoFile } from "./repository.ts";

/** Code between `// #region NAME` and `// #endregion`, all parts of one name and file together. */
export interface Region {
  readonly path: string;
  readonly name: string;
  /** Dedented, without blank lines. */
  readonly code: string;
}

export interface Snippet {
  readonly path: string;
  readonly line: number;
  /** Words of the fence after the language: ```` ```ts fragment ````. */
  readonly marks: readonly string[];
  readonly code: string;
}

const opening = /^\s*\/\/ #region (\S+)\s*$/;
const closing = /^\s*\/\/ #endregion\b/;

/**
 * A region may have several parts, because a test's imports stand at the top and the rest inside a
 * function; they are joined in order. Regions do not nest.
 */
export function regionsOf({ path, text }: RepoFile): readonly Region[] {
  const parts = new Map<string, string[]>();
  let open: { name: string; lines: string[] } | undefined;
  for (const line of text.split("\n")) {
    const name = opening.exec(line)?.[1];
    if (name !== undefined) open = { name, lines: [] };
    else if (open !== undefined && closing.test(line)) {
      parts.set(open.name, [...(parts.get(open.name) ?? []), plain(open.lines)]);
      open = undefined;
    } else open?.lines.push(line);
  }
  return [...parts].map(([name, code]) => ({ path, name, code: code.join("\n") }));
}

/** The fenced TypeScript blocks of a Markdown file. */
export function snippetsOf({ path, text }: RepoFile): readonly Snippet[] {
  const fence =
    /^(?<indent>[ \t]*)```(?:ts|typescript)\b(?<marks>[^\n]*)\n(?<code>[\s\S]*?)^[ \t]*```/gm;
  return [...text.matchAll(fence)].map(({ index, groups = {} }) => ({
    path,
    line: text.slice(0, index).split("\n").length,
    marks: (groups["marks"] ?? "").trim().split(/\s+/).filter(Boolean),
    code: plain((groups["code"] ?? "").split("\n")),
  }));
}

function plain(lines: readonly string[]): string {
  const kept = lines.map((line) => line.trimEnd()).filter((line) => line !== "");
  const indent = Math.min(...kept.map((line) => line.length - line.trimStart().length));
  return kept.map((line) => line.slice(indent)).join("\n");
}
