import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { repositoryRoot } from "./repository.ts";

test("what is generated from the contract is up to date", () => {
  const generate = [
    "--conditions=@agentkeys/source",
    "packages/contract/src/generate.ts",
    "--check",
  ];
  const { status, stdout, stderr } = spawnSync(process.execPath, generate, {
    cwd: repositoryRoot,
    encoding: "utf8",
  });
  expect({ status, output: stdout + stderr }).toEqual({ status: 0, output: "" });
});
