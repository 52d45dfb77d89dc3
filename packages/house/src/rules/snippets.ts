import { regionsOf, snippetsOf, type Region, type Snippet } from "../regions.ts";
import { isTest, type Rule } from "../repository.ts";

/**
 * Every TypeScript snippet that a reader may copy is the text of a region in a test or an example,
 * so it has been run. A snippet that is no program (a signature, an excerpt) is marked
 * ```` ```ts fragment ````; a README's first snippet may not be.
 */
export const snippets: Rule = (files) => {
  const regions = files
    .filter(({ path }) => /^(packages|examples)\/.*\.ts$/.test(path))
    .filter(({ path }) => path.startsWith("examples/") || isTest(path))
    .flatMap(regionsOf);
  const run = new Set(regions.map(({ code }) => code));
  return files
    .filter(({ path }) => /^(packages\/.*|examples\/.*|docs\/.*|README)\.md$/.test(path))
    .filter(({ path }) => !/(\.api|\/CHANGELOG)\.md$/.test(path))
    .flatMap((file) =>
      snippetsOf(file)
        .filter(
          ({ marks }, index) => !marks.includes("fragment") || firstOfReadme(file.path, index),
        )
        .filter(({ code }) => !run.has(code))
        .map((snippet) => notRun(snippet, regions)),
    );
};

function firstOfReadme(path: string, index: number): boolean {
  return index === 0 && /^packages\/[^/]+\/README\.md$/.test(path);
}

function notRun(snippet: Snippet, regions: readonly Region[]): string {
  const at = `${snippet.path}:${snippet.line}: no region of a test or example has this text`;
  const wanted = snippet.code.split("\n");
  const near = regions
    .map((region) => ({ region, differs: firstDifference(wanted, region.code.split("\n")) }))
    .toSorted((a, b) => b.differs - a.differs)[0];
  if (near === undefined || near.differs === 0) return at;
  const { region, differs } = near;
  return `${at}; nearest is ${region.name} in ${region.path}, until "${wanted[differs] ?? "its end"}"`;
}

/** Number of leading lines that are equal. */
function firstDifference(a: readonly string[], b: readonly string[]): number {
  const index = a.findIndex((line, at) => line !== b[at]);
  return index < 0 ? a.length : index;
}
