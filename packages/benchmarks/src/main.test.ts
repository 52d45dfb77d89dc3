import { execFile } from "node:child_process";
import { mkdtempDisposable, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import type { Report } from "./report.ts";

const program = fileURLToPath(new URL("main.ts", import.meta.url));

test("a quick run measures every subject, and says so to people and machines", async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), "agentkeys-bench-test-"));
  const file = join(directory.path, "report.json");
  const options = ["--quick", "--json", file, "--data", directory.path];
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--conditions=@agentkeys/source", program, ...options],
    // No wrk on this path, wherever the test runs.
    { env: {} },
  );
  const report = JSON.parse(await readFile(file, "utf8")) as Report;

  expect(report).toMatchObject({ version: 1, quick: true, machine: { cores: expect.any(Number) } });
  const added = ["bare", "guarded, answered at once"];
  const durable = ["bare", "guarded, embedded", "guarded, loopback"];
  expect(report.sections.map(subjectsOf)).toEqual([
    ["bare call", "guard.run, answered at once"],
    [
      "append and fdatasync",
      "guard.run, embedded",
      "bare round trip",
      "bare round trip, then append and fdatasync",
      "guard.run, loopback",
    ],
    added,
    added,
    added,
    durable,
    durable,
    durable,
    ["bare node:http", "guard/begin", "permission.check", "audit.append", "raw appends"],
    ["messages without rules", "evaluations", "entries replayed"],
    ["ours", "grpc-js with an empty handler"],
    ["ours", "grpc-js with an empty handler"],
    ["ours", "raw appends"],
    ["ours", "raw appends"],
  ]);
  const measured = report.sections.flatMap(({ timings = {}, rates = {} }) => [
    ...Object.values(timings),
    ...Object.values(rates),
  ]);
  for (const { p50, p99, rounds } of measured) {
    expect(p50).toBeGreaterThan(0);
    expect(p99).toBeGreaterThanOrEqual(p50);
    expect(rounds).toHaveLength(1);
  }
  const findings = report.sections.flatMap((section) => section.findings);
  expect(findings.filter(({ aim }) => aim !== undefined)).toHaveLength(9);
  for (const { what, value, aim, met } of findings) {
    expect(value).toEqual(expect.any(Number));
    expect(met === undefined).toBe(aim === undefined);
    expect(stdout).toContain(what);
  }
}, 120_000);

function subjectsOf({ timings = {}, rates = {} }: Report["sections"][number]): string[] {
  return Object.keys({ ...timings, ...rates });
}
