// Packs every published package and tries the tarballs as a user would: plain npm, an empty project,
// TypeScript under `strict` without `skipLibCheck`, the Node.js that runs this. Needs a build.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { workspaces, type Workspace } from "./manifests.ts";
import { readRepository, repositoryRoot } from "./repository.ts";
import { readPins, type Pin, type Pins } from "./rules/export-pins.ts";
import { packTarballs, wrongContents } from "./tarballs.ts";

const files = readRepository();
const published = workspaces(files).filter(({ manifest }) => manifest.private !== true);
const examples = workspaces(files).filter(({ folder }) => folder.startsWith("examples/"));
const project = mkdtempSync(join(tmpdir(), "packed-"));
const pnpm = parse(readFileSync(join(repositoryRoot, "pnpm-workspace.yaml"), "utf8")) as {
  readonly overrides?: Readonly<Record<string, string>>;
  readonly ignoredOptionalDependencies?: readonly string[];
  readonly catalogs: { readonly published: Readonly<Record<string, string>> };
};
let failures = 0;

try {
  const tarballs = packTarballs(
    published.map(({ manifest }) => manifest.name),
    project,
  );
  report(
    "contents of the tarballs",
    tarballs.flatMap((tarball) => {
      const found = published.find(({ manifest }) => manifest.name === tarball.name);
      return found === undefined ? [] : wrongContents(tarball, found.manifest);
    }),
  );
  writeProject(readPins(files));
  const wanted = [...tarballs.map(({ filename }) => filename), ...libraries()];
  report(
    "npm install",
    run("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", ...wanted]),
  );
  report("types", ours(run("node_modules/.bin/tsc", [])));
  report("exports", run(process.execPath, ["out/exports.js"]));
  report("agentkeys --help", run("node_modules/.bin/agentkeys", ["--help"]));
  for (const { folder } of examples) {
    report(folder, run(process.execPath, [`out/${folder}/main.js`]));
  }
} finally {
  rmSync(project, { recursive: true });
}
console.log(`packed packages on Node.js ${process.versions.node}: ${failures} failed`);
if (failures > 0) process.exitCode = 1;

function report(what: string, problems: readonly string[]): void {
  console.log(`${problems.length === 0 ? "ok    " : "FAILED"}  ${what}`);
  for (const problem of problems.slice(0, 40)) console.log(`        ${problem}`);
  if (problems.length > 0) failures += 1;
}

/** What a command printed when it failed, line by line; nothing when it did not. */
function run(command: string, args: readonly string[]): string[] {
  const { ANTHROPIC_API_KEY: _, OPENAI_API_KEY: __, ...env } = process.env;
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: project,
    encoding: "utf8",
    env,
  });
  if (status === 0) return [];
  return `${stdout ?? ""}${stderr ?? ""}${error?.message ?? ""}`.trimEnd().split("\n");
}

/** Errors in the declarations of frameworks are not ours to mend; all others are. */
function ours(lines: readonly string[]): readonly string[] {
  return lines.filter((line) => /^\S/.test(line) && !/^node_modules\/(?!@?agentkeys\/)/.test(line));
}

/** A program that uses every pinned name, and the examples, which use published entry points only. */
function writeProject(pins: Pins): void {
  const entries = Object.entries(pins).map(([entry, pin]) => programOf(entry, pin));
  for (const [index, text] of entries.entries()) {
    writeFileSync(join(project, `entry-${index}.ts`), text);
  }
  const all = entries.map((_, index) => `import "./entry-${index}.ts";`);
  writeFileSync(join(project, "exports.ts"), all.join("\n"));
  const compilerOptions = {
    strict: true,
    target: "ES2023",
    module: "NodeNext",
    lib: ["ES2023", "ESNext.Disposable", "DOM", "DOM.Iterable"],
    types: ["node"],
    rewriteRelativeImportExtensions: true,
    rootDir: ".",
    outDir: "out",
  };
  const json = {
    "package.json": {
      private: true,
      type: "module",
      overrides: { ...pnpm.overrides, ...leftOut(pnpm.ignoredOptionalDependencies ?? []) },
    },
    "tsconfig.json": { compilerOptions },
  };
  for (const [name, value] of Object.entries(json)) {
    writeFileSync(join(project, name), JSON.stringify(value, null, 2));
  }
  for (const { folder } of examples) {
    for (const { path } of files.filter((file) => file.path.startsWith(`${folder}/`))) {
      if (!/(package|tsconfig|turbo)\.json$/.test(path)) {
        cpSync(join(repositoryRoot, path), join(project, path));
      }
    }
  }
}

/** What the workspace does not install either, by patterns that may end in a star: an empty package each. */
function leftOut(patterns: readonly string[]): Record<string, string> {
  mkdirSync(join(project, "left-out"));
  writeFileSync(
    join(project, "left-out/package.json"),
    '{ "name": "left-out", "version": "0.0.0" }',
  );
  const peers = published.flatMap(({ folder, manifest }) =>
    Object.keys(manifest.peerDependencies ?? {}).map((name) => manifestIn(folder, name)),
  );
  const names = peers.flatMap(({ optionalDependencies }) =>
    Object.keys(optionalDependencies ?? {}),
  );
  const ignored = names.filter((name) =>
    patterns.some((pattern) =>
      pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
    ),
  );
  return Object.fromEntries(ignored.map((name) => [name, "file:./left-out"]));
}

/** Fails to compile when a pinned type is missing, and to run when the values are other ones. */
function programOf(entry: string, { values, types }: Pin): string {
  const from = JSON.stringify(entry);
  return `
    import * as actual from ${from};
    ${types.length === 0 ? "" : `export type { ${types.join(", ")} } from ${from};`}
    const pinned = ${JSON.stringify(values)}.sort().join();
    const found = Object.keys(actual).sort().join();
    if (found !== pinned) throw new Error(${from} + " exports " + found);
  `;
}

/**
 * Frameworks and libraries that examples and peers name, at the versions that are tested here; what users share with their framework,
 * at its floor.
 */
function libraries(): string[] {
  const wanted = new Map<string, string>([versionIn(published[0], "typescript")]);
  wanted.set(...versionIn(published[0], "@types/node"));
  for (const workspace of [...published, ...examples]) {
    const { dependencies = {}, peerDependencies = {} } = workspace.manifest;
    const names =
      workspace.manifest.private === true
        ? Object.keys(dependencies)
        : Object.keys(peerDependencies);
    for (const name of names.filter((dependency) => !/^@?agentkeys/.test(dependency))) {
      wanted.set(...versionIn(workspace, name));
    }
  }
  for (const [name, range] of Object.entries(pnpm.catalogs.published)) {
    wanted.set(name, range.replace("^", ""));
  }
  return [...wanted].map(([name, version]) => `${name}@${version}`);
}

function versionIn(workspace: Workspace | undefined, name: string): [string, string] {
  return [name, manifestIn(workspace?.folder ?? "", name).version];
}

function manifestIn(folder: string, name: string) {
  const path = join(repositoryRoot, folder, "node_modules", name, "package.json");
  return JSON.parse(readFileSync(path, "utf8")) as {
    version: string;
    optionalDependencies?: Readonly<Record<string, string>>;
  };
}
