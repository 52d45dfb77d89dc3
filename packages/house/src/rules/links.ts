import { posix } from "node:path";
import type { RepoFile, Rule } from "../repository.ts";

/** Relative links in Markdown lead to a file or folder of the repository, and so do paths named in AGENTS.md. */
export const links: Rule = (files) => {
  const known = new Set(files.flatMap(({ path }) => [path, ...parents(path)]));
  return files
    .filter(({ path }) => path.endsWith(".md") && !path.startsWith(".changeset/"))
    .flatMap((file) =>
      [...linked(file), ...(file.path === "AGENTS.md" ? named(file) : [])]
        .filter(({ target }) => !known.has(target))
        .map(({ target, line }) => `${file.path}:${line}: ${target} does not exist`),
    );
};

interface Link {
  readonly target: string;
  readonly line: number;
}

function linked({ path, text }: RepoFile): Link[] {
  return matches(text, /\]\(<?([^)\s>]+)>?[^)]*\)|(?:src|srcset|href)="([^"]+)"/g)
    .filter(({ target }) => !/^([a-z]+:|#|\/\/)/.test(target))
    .map(({ target, line }) => ({
      line,
      target: posix
        .join(posix.dirname(path), decodeURI(target.replace(/[?#].*$/, "")))
        .replace(/\/$/, ""),
    }));
}

/** `packages/core/src/guard.ts` in backticks; patterns and placeholders are not paths. */
function named({ text }: RepoFile): Link[] {
  return matches(
    text,
    /`((?:packages|examples|docs|\.github|\.ci|\.changeset)\/[\w./-]*[\w-])\/?`/g,
  );
}

function matches(text: string, pattern: RegExp): Link[] {
  return text.split("\n").flatMap((content, index) =>
    [...content.matchAll(pattern)].map((match) => ({
      target: match[1] ?? match[2] ?? "",
      line: index + 1,
    })),
  );
}

function parents(path: string): string[] {
  const parts = path.split("/");
  return parts.map((_, index) => parts.slice(0, index).join("/"));
}
