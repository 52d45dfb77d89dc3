import { expect, test } from "vitest";
import { repositoryOf } from "../repository.ts";
import { lockfile } from "./lockfile.ts";

test("catches addresses", () => {
  const text = `a@1.0.0:\n  resolution: {integrity: sha512-x}\n  tarball: file.tgz\n  at: https://example.com\n`;
  expect(lockfile(repositoryOf({ "pnpm-lock.yaml": text }))).toEqual([
    "pnpm-lock.yaml:3: tarball: file.tgz",
    "pnpm-lock.yaml:4: at: https://example.com",
  ]);
});

test("catches a lockfile that is not there", () => {
  expect(lockfile([])).toEqual(["pnpm-lock.yaml: missing"]);
});
