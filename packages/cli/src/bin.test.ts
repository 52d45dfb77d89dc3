import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const bin = fileURLToPath(new URL("../bin/agentkeys.js", import.meta.url));

/** The program under a Node.js that says it is this version. */
function under(version: string, ...args: string[]) {
  const pretend = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } })`;
  const flags = ["--conditions=@agentkeys/source", "--import", `data:text/javascript,${pretend}`];
  return spawnSync(process.execPath, [...flags, bin, ...args], { encoding: "utf8", input: "{}" });
}

test.each(["18.20.8", "20.20.2", "22.18.0"])("Node.js %s is told what is needed", (version) => {
  const { status, stdout, stderr } = under(version, "--version");
  expect([status, stdout]).toEqual([1, ""]);
  expect(stderr).toMatch(/^agentkeys: needs Node\.js 22\.19 .*\n$/);
});

test("a hook under such a Node.js still exits 0, and check blocks", () => {
  const check = under("20.20.2", "hook", "check", "--scope", "web.search");
  expect(check.status).toBe(0);
  expect(JSON.parse(check.stdout)).toMatchObject({ decision: "block" });
  const audit = under("20.20.2", "hook", "audit");
  expect([audit.status, audit.stdout]).toEqual([0, "{}\n"]);
});

test.each(["22.19.0", "23.0.0", "26.10.0"])("Node.js %s runs it", (version) => {
  expect(under(version, "--version")).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^\d/),
  });
});
