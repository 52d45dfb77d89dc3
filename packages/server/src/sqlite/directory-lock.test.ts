import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { lockDirectory } from "./directory-lock.ts";

function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), "agentkeys-lock-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

test("the second in one process is told that this process holds it, until it is released", () => {
  const directory = scratch();
  const release = lockDirectory(directory);
  const second = () => lockDirectory(directory);
  expect(second).toThrow(expect.objectContaining({ code: "config_invalid" }));
  expect(second).toThrow(directory);
  expect(second).toThrow(
    new RegExp(`this process \\(${process.pid}\\), since \\d{4}-\\d\\d-\\d\\dT`),
  );
  release();
  expect(readdirSync(directory)).not.toContain("holder.json");
  second()();
});

test("other processes stay excluded after this one tried a second time", () => {
  const directory = scratch();
  onTestFinished(lockDirectory(directory));
  expect(() => lockDirectory(directory)).toThrow(directory);
  const source = new URL("directory-lock.ts", import.meta.url).href;
  const program = `
    import { lockDirectory } from ${JSON.stringify(source)};
    try { lockDirectory(${JSON.stringify(directory)}); console.log("locked"); }
    catch (error) { console.log(error.message); }`;
  const args = ["--conditions=@agentkeys/source", "--input-type=module", "-e", program];
  const { stdout } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect(stdout).toContain(`in use by process ${process.pid}, since `);
});

test("what the holder file says does not matter to the lock", () => {
  const directory = scratch();
  writeFileSync(join(directory, "holder.json"), '{"pid":1,"since":"2020-01-01T00:00:00.000Z"}');
  const release = lockDirectory(directory);
  onTestFinished(release);
  writeFileSync(join(directory, "holder.json"), "torn {");
  expect(() => lockDirectory(directory)).toThrow("another process");
});

test("two directories do not exclude each other", () => {
  const releases = [lockDirectory(scratch()), lockDirectory(scratch())];
  expect(releases.length).toBe(2);
  for (const release of releases) release();
});
