import { lineCount, type Rule } from "../repository.ts";

const limits: readonly [RegExp, number][] = [
  [/^AGENTS\.md$/, 120],
  [/^docs\/adr\/.*\.md$/, 40],
];

/** A guide or a decision that is too long is not read. */
export const documentSize: Rule = (files) =>
  limits.flatMap(([pattern, most]) =>
    files
      .filter(({ path, text }) => pattern.test(path) && lineCount(text) > most)
      .map(({ path, text }) => `${path}: ${lineCount(text)} lines, at most ${most}`),
  );
