import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../", import.meta.url));
const require = createRequire(import.meta.url);
const buf = require.resolve("@bufbuild/buf/bin/buf");
const plugins = join(root, "node_modules", ".bin");

function run(args: readonly string[]): void {
  const env = { ...process.env, PATH: `${plugins}${delimiter}${process.env["PATH"]}` };
  execFileSync(process.execPath, [buf, ...args], { cwd: root, env });
}

function filesIn(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  return Object.fromEntries(
    files.map((path) => [path.slice(folder.length), readFileSync(path, "utf8")]),
  );
}

test("what is generated from the .proto files is up to date, and they are in order", () => {
  const folder = mkdtempSync(join(tmpdir(), "macp-"));
  try {
    run(["lint"]);
    run(["generate", "--output", folder]);
    expect(filesIn(join(root, "src", "generated"))).toEqual(
      filesIn(join(folder, "src", "generated")),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
