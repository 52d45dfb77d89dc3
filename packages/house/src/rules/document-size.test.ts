import { expect, test } from "vitest";
import { repositoryOf } from "../repository.ts";
import { documentSize } from "./document-size.ts";

const lines = (count: number): string => "line\n".repeat(count);

test("catches a long guide and a long decision", () => {
  const files = {
    "AGENTS.md": lines(121),
    "docs/adr/0001-x.md": lines(41),
    "docs/guide.md": lines(500),
  };
  expect(documentSize(repositoryOf(files))).toEqual([
    "AGENTS.md: 121 lines, at most 120",
    "docs/adr/0001-x.md: 41 lines, at most 40",
  ]);
});

test("the limits themselves are allowed", () => {
  const files = { "AGENTS.md": lines(120), "docs/adr/0001-x.md": lines(40) };
  expect(documentSize(repositoryOf(files))).toEqual([]);
});
