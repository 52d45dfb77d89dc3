import { execFileSync } from "node:child_process";
import type { Manifest } from "./manifests.ts";
import { repositoryRoot } from "./repository.ts";

/** One packed package. `filename` is the tarball's absolute path. */
export interface Tarball {
  readonly name: string;
  readonly version: string;
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

/** Packs the packages of these names, as publishing does, into `folder`. They must be built. */
export function packTarballs(names: readonly string[], folder: string): readonly Tarball[] {
  const filters = names.flatMap((name) => ["--filter", name]);
  const args = ["-y", "pnpm@12", "-r", ...filters, "pack", "--json", "--pack-destination", folder];
  const packed = execFileSync("npx", args, { cwd: repositoryRoot, encoding: "utf8" });
  return [JSON.parse(packed) as Tarball | readonly Tarball[]].flat();
}

const unwanted =
  /\.(test|test-d|test-kit|suite)\.(ts|js|d\.ts)(\.map)?$|(^|\/)(testdata|node_modules|temp)\/|tsbuildinfo/;

/** What is in a tarball and should not be, or is missing from it. */
export function wrongContents({ name, files }: Tarball, manifest: Manifest): string[] {
  const paths = new Set(files.map(({ path }) => path));
  const source = [...paths].flatMap((path) => /^src\/(.+)\.ts$/.exec(path)?.[1] ?? []);
  const built = source.map((module) => `dist/${module}.js`);
  const entries = targets([manifest.exports, manifest.bin]);
  const required = new Set(["LICENSE", "README.md", "package.json", ...built, ...entries]);
  return [
    ...[...paths].filter((path) => unwanted.test(path)).map((path) => `${name}: packs ${path}`),
    ...[...required].filter((path) => !paths.has(path)).map((path) => `${name}: lacks ${path}`),
  ];
}

/** Every file that entry points lead to; patterns (`./generated/*`) name none. */
function targets(value: unknown): string[] {
  if (typeof value === "string") return value.includes("*") ? [] : [value.replace("./", "")];
  return Object.values(value ?? {}).flatMap(targets);
}
