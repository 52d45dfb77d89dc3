import { expect, test } from "vitest";
import { repositoryOf } from "../repository.ts";
import { packageDependencies } from "./package-dependencies.ts";

const check = (folder: string, manifest: object): string[] =>
  packageDependencies(
    repositoryOf({ [`packages/${folder}/package.json`]: JSON.stringify(manifest) }),
  );

test("catches a package that the table of walls does not have", () => {
  expect(check("extras", { name: "@agentkeys/extras" })).toEqual([
    "packages/extras/package.json: @agentkeys/extras is not in the table of walls",
  ]);
});

test("catches core on server, and a library that core has no use for", () => {
  const dependencies = {
    "@agentkeys/server": "workspace:^",
    lodash: "catalog:",
    undici: "catalog:",
  };
  expect(check("core", { name: "@agentkeys/core", dependencies })).toEqual([
    "packages/core/package.json: may not use @agentkeys/server",
    "packages/core/package.json: may not use lodash",
  ]);
});

test("server may be used by the tests of core, and core not even by those of server", () => {
  const devDependencies = { "@agentkeys/server": "workspace:^", "@agentkeys/core": "workspace:^" };
  expect(check("core", { name: "@agentkeys/core", devDependencies })).toEqual([
    "packages/core/package.json: tests may not use @agentkeys/core",
  ]);
  expect(check("server", { name: "@agentkeys/server", devDependencies })).toEqual([
    "packages/server/package.json: tests may not use @agentkeys/server",
    "packages/server/package.json: tests may not use @agentkeys/core",
  ]);
});

test("catches one framework package on another, and a framework that is no peer", () => {
  const dependencies = { "@agentkeys/mastra": "workspace:^", ai: "catalog:" };
  expect(check("ai-sdk", { name: "@agentkeys/ai-sdk", dependencies })).toEqual([
    "packages/ai-sdk/package.json: ai is a framework: a peer, never a dependency",
    "packages/ai-sdk/package.json: may not use @agentkeys/mastra",
  ]);
});

test("catches another framework's peer", () => {
  const peerDependencies = { "@mastra/core": "^1.0.0", ai: "^7.0.0" };
  expect(check("ai-sdk", { name: "@agentkeys/ai-sdk", peerDependencies })).toEqual([
    "packages/ai-sdk/package.json: may not use @mastra/core",
  ]);
});

test("catches a version that stands outside the catalog", () => {
  const dependencies = { "@agentkeys/contract": "^0.1.0", undici: "^8.0.0" };
  expect(check("core", { name: "@agentkeys/core", dependencies })).toHaveLength(2);
});

test("catches a range that is not the catalog's, and a zod that users could not share", () => {
  const dependencies = { undici: "^8.0.0", "@agentkeys/contract": "catalog:", zod: "catalog:" };
  expect(check("core", { name: "@agentkeys/core", dependencies })).toEqual([
    "packages/core/package.json: undici is ^8.0.0, expected catalog:",
    "packages/core/package.json: @agentkeys/contract is catalog:, expected workspace:^",
    "packages/core/package.json: zod is catalog:, expected catalog:published",
    "packages/core/package.json: may not use zod",
  ]);
});
