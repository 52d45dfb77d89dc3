import {
  codeLineCount,
  isGenerated,
  isTest,
  lineCount,
  type Rule,
  sourceFiles,
} from "../repository.ts";
import { walls } from "../walls.ts";

const maxFile = 300;
const maxMedian = 89;

/** Short files: each, in the median over what is published, and, counted as code, per framework package in all. */
export const fileSize: Rule = (files) => [
  ...files
    .filter(({ path }) => /^(packages|examples)\/.*\.[mc]?[jt]s$/.test(path))
    .filter(({ path }) => !isTest(path) && !isGenerated(path))
    .map(({ path, text }) => ({ path, lines: lineCount(text) }))
    .filter(({ lines }) => lines > maxFile)
    .map(({ path, lines }) => `${path}: ${lines} lines, at most ${maxFile}`),
  ...tooLongInTheMedian(files),
  ...tooLongInAll(files),
];

const tooLongInTheMedian: Rule = (files) => {
  const lengths = Object.values(walls)
    .flatMap(({ folder }) => sourceFiles(files, folder))
    .map(({ text }) => lineCount(text))
    .toSorted((a, b) => a - b);
  const median = lengths[lengths.length >> 1] ?? 0;
  if (median <= maxMedian) return [];
  return [`packages: the median source file has ${median} lines, at most ${maxMedian}`];
};

const tooLongInAll: Rule = (files) =>
  Object.values(walls).flatMap(({ folder, maxLines = Infinity }) => {
    const sources = sourceFiles(files, folder);
    const lines = sources.reduce((sum, { text }) => sum + codeLineCount(text), 0);
    return lines > maxLines
      ? [`packages/${folder}: ${lines} lines of code, at most ${maxLines}`]
      : [];
  });
