import { expect, test } from "vitest";
import { repositoryOf } from "../repository.ts";
import { machineTraces } from "./machine-traces.ts";

const check = (line: string): number =>
  machineTraces(repositoryOf({ "a.md": `text\n${line}\n` })).length;

// Put together here, so that this file passes the rule it tests.
const path = (...parts: string[]): string => ["", ...parts, ""].join("/");

test.each([
  `see ${path("work", "notes")}`,
  `cd ${path("home", "ann", "src")}`,
  `"${path("Users", "ann")}"`,
  `data in ${path("tmp", "x")}`,
  ["C:", "Users", "ann"].join("\\"),
  `https:/${path(["registry", "npmjs", "org"].join("."))}`,
  ["//host/:_auth", "Token=abc"].join(""),
])("catches %s", (line) => {
  expect(check(line)).toBe(1);
});

test.each([
  "packages/work/a",
  "https://example.com/tmp-file",
  "~/work/x",
  "framework/tool",
  "./tmp/x",
])("allows %s", (line) => {
  expect(check(line)).toBe(0);
});
