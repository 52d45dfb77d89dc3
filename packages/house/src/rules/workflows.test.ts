import { expect, test } from "vitest";
import { repositoryOf } from "../repository.ts";
import { workflows } from "./workflows.ts";

const check = (text: string): string[] =>
  workflows(repositoryOf({ ".github/workflows/ci.yml": text }));

const commit = "0123456789abcdef0123456789abcdef01234567";

test("catches an action by tag, by commit without its version, and a stored secret", () => {
  const text = [
    "- uses: actions/checkout@v7",
    `- uses: actions/checkout@${commit}`,
    "  token: ${{ secrets.SOME_TOKEN }}",
  ].join("\n");
  expect(check(text)).toEqual([
    ".github/workflows/ci.yml:1: actions/checkout@v7 is not pinned",
    `.github/workflows/ci.yml:2: actions/checkout@${commit} is not pinned`,
    ".github/workflows/ci.yml:3: uses a stored secret",
  ]);
});

test("allows pinned and local ones, and the workflow's own token", () => {
  const text = [
    `- uses: changesets/action/publish@${commit} # v2.1.2`,
    "  uses: ./.github/workflows/ci.yml",
    "  token: ${{ secrets.GITHUB_TOKEN }}",
  ].join("\n");
  expect(check(text)).toEqual([]);
});
