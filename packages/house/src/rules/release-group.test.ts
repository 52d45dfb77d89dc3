import { expect, test } from "vitest";
import { repositoryOf } from "../repository.ts";
import { releaseGroup } from "./release-group.ts";

const check = (fixed: string[][]): string[] =>
  releaseGroup(
    repositoryOf({
      ".changeset/config.json": JSON.stringify({ fixed }),
      "packages/core/package.json": `{"name":"@agentkeys/core"}`,
      "packages/cli/package.json": `{"name":"agentkeys"}`,
      "packages/house/package.json": `{"name":"@agentkeys-internal/house","private":true}`,
    }),
  );

test("catches a published package that is left out, and a private one that is not", () => {
  const expected = [
    ".changeset/config.json: expected one fixed group of @agentkeys/core, agentkeys",
  ];
  expect(check([["@agentkeys/core"]])).toEqual(expected);
  expect(check([["@agentkeys/core", "agentkeys", "@agentkeys-internal/house"]])).toEqual(expected);
  expect(check([["@agentkeys/core"], ["agentkeys"]])).toEqual(expected);
});

test("allows the one group of all", () => {
  expect(check([["agentkeys", "@agentkeys/core"]])).toEqual([]);
});
