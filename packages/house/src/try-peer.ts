// Runs the tests of a package with other versions of its peers, in a copy of the workspace, so that a peer range is more than a hope:
// `npx -y pnpm@12 try:peer ai-sdk ai@7.0.104`. Not part of CI's one command: it downloads what it tries.
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { repositoryRoot } from "./repository.ts";

const [project, ...wanted] = process.argv.slice(2);
if (project === undefined || wanted.length === 0) {
  console.error("usage: try-peer PACKAGE PEER@VERSION…, for example: try-peer ai-sdk ai@7.0.104");
  process.exit(2);
}
/** Built files and caches. */
const left = new Set(["dist", ".turbo", ".vite", ".vite-temp", ".vitest-cache"]);
const copy = mkdtempSync(join(tmpdir(), "peers-"));
try {
  for (const name of ["vitest.config.ts", "tsconfig.base.json", "package.json", "packages"]) {
    cpSync(join(repositoryRoot, name), join(copy, name), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => !left.has(basename(path)),
    });
  }
  symlinkSync(join(repositoryRoot, "node_modules"), join(copy, "node_modules"), "junction");
  const peers = join(copy, "peers");
  mkdirSync(peers);
  const options = ["--no-audit", "--no-fund", "--ignore-scripts"];
  run("npm", ["install", ...options, "--prefix", peers, ...wanted], peers);
  for (const spec of wanted)
    link(spec.slice(0, spec.lastIndexOf("@")), join(peers, "node_modules"));
  const vitest = join(repositoryRoot, "node_modules/vitest/vitest.mjs");
  // The cache, which is shared with the workspace, knows where a module was found before.
  const uncached = "--fsModuleCache=false";
  run(process.execPath, [vitest, "run", "--root", copy, "--project", project, uncached], copy);
} finally {
  rmSync(copy, { recursive: true });
}

/** Every package that has this one gets the version that was asked for. */
function link(name: string, installed: string): void {
  for (const folder of readdirSync(join(copy, "packages"))) {
    const path = join(copy, "packages", folder, "node_modules", name);
    if (!existsSync(path)) continue;
    rmSync(path);
    symlinkSync(join(installed, name), path, "junction");
  }
}

function run(command: string, args: readonly string[], cwd: string): void {
  const { status } = spawnSync(command, args, { cwd, stdio: "inherit" });
  if (status !== 0) process.exitCode = 1;
}
