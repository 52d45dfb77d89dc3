import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const program = fileURLToPath(new URL("run-examples.ts", import.meta.url));

/** Runs the examples of a made-up folder, given by name and main.ts (`undefined`: it has none). */
function run(examples: Readonly<Record<string, string | undefined>>): {
  code: number | null;
  text: string;
} {
  const folder = mkdtempSync(join(tmpdir(), "examples-"));
  try {
    for (const [name, main] of Object.entries(examples)) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, "package.json"), `{"type":"module"}`);
      if (main !== undefined) writeFileSync(join(folder, name, "main.ts"), main);
    }
    const env = { ...process.env, OPENAI_API_KEY: "secret" };
    const { status, stdout } = spawnSync(process.execPath, [program, folder], {
      encoding: "utf8",
      env,
    });
    return { code: status, text: stdout };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("a failing example fails the run, shows what it printed, and the next one still runs", () => {
  const { code, text } = run({ bad: `console.error("no such cap"); process.exit(3);`, good: "" });
  expect(code).toBe(1);
  expect(text).toMatch(/^FAILED {2}bad .*\n.*no such cap/m);
  expect(text).toMatch(/^ok {6}good/m);
  expect(text).toContain("examples: 1 passed, 1 failed");
});

test("an example without a program fails, and so does a folder without examples", () => {
  expect(run({ empty: undefined }).code).toBe(1);
  expect(run({}).code).toBe(1);
});

test("keys of whoever runs it do not reach the examples", () => {
  const main = `if (process.env["OPENAI_API_KEY"] !== undefined) process.exit(1);`;
  expect(run({ good: main }).code).toBe(0);
});
