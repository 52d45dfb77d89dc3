import { expect, test } from "vitest";
import { readRepository, repositoryOf } from "../repository.ts";
import { topLevel } from "./top-level.ts";

test("catches folders and files that do not belong at the top", () => {
  const strangers = repositoryOf({ "scripts/build.ts": "", "notes.md": "", ".tool.json": "" });
  expect(topLevel([...readRepository(), ...strangers])).toEqual(
    expect.arrayContaining([
      "scripts: does not belong at the top of the repository",
      "notes.md: does not belong at the top of the repository",
    ]),
  );
});

test("catches what is missing", () => {
  const files = readRepository().filter(({ path }) => path !== "LICENSE");
  expect(topLevel(files)).toContain("LICENSE: missing");
});
