import { expect, test } from "vitest";
import { repositoryOf } from "../repository.ts";
import { turboTags } from "./turbo-tags.ts";

const check = (folder: string, name: string, turbo: object): string[] =>
  turboTags(
    repositoryOf({
      [`${folder}/package.json`]: JSON.stringify({ name }),
      [`${folder}/turbo.json`]: JSON.stringify(turbo),
    }),
  );

test("catches a missing and a wrong tag", () => {
  expect(check("packages/core", "@agentkeys/core", {})).toEqual([
    "packages/core/turbo.json: expected the tag core, and only that",
  ]);
  expect(check("examples/quickstart", "@agentkeys-example/quickstart", { tags: ["core"] })).toEqual(
    ["examples/quickstart/turbo.json: expected the tag example, and only that"],
  );
});

test("allows the right one", () => {
  expect(check("packages/mastra", "@agentkeys/mastra", { tags: ["framework"] })).toEqual([]);
  expect(check("packages/house", "@agentkeys-internal/house", { tags: ["internal"] })).toEqual([]);
});
