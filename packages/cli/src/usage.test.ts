import { expect, test } from "vitest";
import { run } from "./cli-process.test-kit.ts";

test.each([
  [["nonsense"]],
  [["serve", "--listen", "nowhere"]],
  [["serve", "--listen", "127.0.0.1:99999"]],
  [["serve", "--surface", "v2"]],
  [["serve", "--transport", "carrier-pigeon"]],
  [["serve", "--unknown-flag"]],
  [["revoke"]],
  [["revoke", "not-an-omni"]],
  [["audit", "tail", "--after", "soon"]],
  [["revoke", `0x${"a0".repeat(32)}`, "--url", "no-url"]],
])("wrong usage exits 2, with a line on stderr and nothing on stdout: %j", async (args) => {
  const { code, stdout, stderr } = await run(args, { env: { AGENTKEYS_OPERATOR_TOKEN: "t" } });
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr.trim()).not.toBe("");
  expect(stderr).not.toMatch(/\n\s+at /);
});

test.each([
  [["revoke", `0x${"a0".repeat(32)}`]],
  [["approvals", "list"]],
  [["approvals", "approve", "apr_x"]],
  [["audit", "tail"]],
])("without an operator's token: exit 2, and where to set it: %j", async (args) => {
  const { code, stderr } = await run(args);
  expect(code).toBe(2);
  expect(stderr).toContain("AGENTKEYS_OPERATOR_TOKEN");
});

test("help and version exit 0 on stdout", async () => {
  const help = await run(["--help"]);
  expect(help.code).toBe(0);
  for (const command of ["dev", "serve", "audit", "revoke", "hook"]) {
    expect(help.stdout).toContain(command);
  }
  expect((await run(["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test("an authority that is not there: exit 1, and the operator's token stays out of the message", async () => {
  const env = {
    AGENTKEYS_MCP_URL: "http://127.0.0.1:1/mcp",
    AGENTKEYS_OPERATOR_TOKEN: "very-secret",
  };
  for (const args of [
    ["revoke", `0x${"a0".repeat(32)}`],
    ["audit", "tail"],
  ]) {
    const { code, stderr } = await run(args, { env });
    expect(code).toBe(1);
    expect(stderr).not.toContain("very-secret");
  }
});
