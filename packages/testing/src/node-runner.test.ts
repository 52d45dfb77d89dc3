import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const file = fileURLToPath(new URL("node-runner.test-kit.ts", import.meta.url));

test("under Node's own test runner, without vitest", () => {
  const { NODE_TEST_CONTEXT: _, VITEST: __, ...env } = process.env;
  const args = ["--conditions=@agentkeys/source", "--test", "--test-reporter=tap", file];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", env });
  expect(stdout + stderr).toContain("ok 1 - no order above the limit");
  expect(stdout).toContain("# pass 1");
  expect(status).toBe(0);
});
