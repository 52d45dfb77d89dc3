import { isTest, lineCount, sourceFiles, type Rule } from "../repository.ts";
import { walls } from "../walls.ts";

const maxFile = 300;
const maxMedian = 89;

/** Short files: each, in the median over what is published, and per framework package in all. */
export const fileSize: Rule = (files) => [
  ...files
    .filter(({ path }) => /^(packages|examples)\/.*\.[mc]?[jt]s$/.test(path) && !isTest(path))
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
    const lines = sourceFiles(files, folder).reduce((sum, { text }) => sum + lineCount(text), 0);
    return lines > maxLines
      ? [`packages/${folder}: ${lines} lines of source, at most ${maxLines}`]
      : [];
  });
