import { expect, test } from "vitest";
import { repositoryOf } from "../repository.ts";
import { links } from "./links.ts";

test("catches links that lead nowhere, in Markdown and in HTML", () => {
  const text = `[a](../src/gone.ts#L1) ![b](<./gone image.svg>)\n<img src="./gone.svg">\n`;
  expect(links(repositoryOf({ "packages/core/README.md": text }))).toHaveLength(3);
});

test("allows files, folders, anchors and the web", () => {
  const text =
    "[a](./guide.md#x) [b](../packages/) [c](#here) [d](https://example.com) [e](mailto:a@b.c)";
  const files = { "docs/README.md": text, "docs/guide.md": "", "packages/core/a.ts": "" };
  expect(links(repositoryOf(files))).toEqual([]);
});

test("catches paths that AGENTS.md names and that are gone", () => {
  const text = "See `packages/core/src/guard.ts`, `packages/core/` and `packages/*/src`.";
  const files = { "AGENTS.md": text, "packages/core/README.md": "" };
  expect(links(repositoryOf(files))).toEqual([
    "AGENTS.md:1: packages/core/src/guard.ts does not exist",
  ]);
});
