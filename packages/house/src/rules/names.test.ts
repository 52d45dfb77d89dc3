import { expect, test } from "vitest";
import { repositoryOf } from "../repository.ts";
import { names } from "./names.ts";

const at = (...paths: string[]): string[] =>
  names(repositoryOf(Object.fromEntries(paths.map((path) => [path, ""]))));

test("catches names that are not kebab-case", () => {
  expect(
    at("packages/core/src/createClient.ts", "docs/The_Guard.md", "examples/Quick/main.ts"),
  ).toEqual([
    "packages/core/src/createClient.ts: file names are kebab-case",
    "docs/The_Guard.md: file names are kebab-case",
    "examples/Quick: folder names are kebab-case",
  ]);
});

test("catches drawers", () => {
  expect(at("packages/core/src/utils/a.ts", "packages/core/src/utils/b.ts")).toEqual([
    "packages/core/src/utils: a drawer; name the role of what is in it",
  ]);
});

test("catches a folder for one module, its tests not counted", () => {
  expect(
    at("packages/core/src/transports/mcp.ts", "packages/core/src/transports/mcp.test.ts"),
  ).toEqual([
    "packages/core/src/transports: a folder for one module; put the module beside its caller",
  ]);
});

test("leaves generated code and its sources out", () => {
  expect(
    at("packages/macp/src/generated/a/v1/a_pb.ts", "packages/macp/proto/a/multi_round/v1/a.proto"),
  ).toEqual([]);
});

test("allows what the repository has", () => {
  const present = [
    "README.md",
    "turbo.json",
    "src/create-client.test-d.ts",
    "src/a.ts",
    "pins/core.api.md",
  ];
  expect(at(...present.map((path) => `packages/core/${path}`))).toEqual([]);
});
