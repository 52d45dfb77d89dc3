import type { Rule } from "../repository.ts";

/** A lockfile with an address in it works only where that address does. */
export const lockfile: Rule = (files) => {
  const lock = files.find(({ path }) => path === "pnpm-lock.yaml");
  if (lock === undefined) return ["pnpm-lock.yaml: missing"];
  return lock.text
    .split("\n")
    .map((content, index) => ({ content, line: index + 1 }))
    .filter(({ content }) => content.includes("://") || content.includes("tarball:"))
    .map(({ content, line }) => `pnpm-lock.yaml:${line}: ${content.trim()}`);
};
