import { posix } from "node:path";
import type { RepoFile } from "./repository.ts";

type Dependencies = Readonly<Record<string, string>>;

/** The parts of a package.json that the rules read. */
export interface Manifest {
  readonly name: string;
  readonly version?: string;
  readonly private?: boolean;
  readonly description?: string;
  readonly keywords?: readonly string[];
  readonly license?: string;
  readonly homepage?: string;
  readonly bugs?: string;
  readonly repository?: { readonly url?: string; readonly directory?: string };
  readonly type?: string;
  readonly files?: readonly string[];
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly publishConfig?: { readonly access?: string };
  readonly scripts?: Readonly<Record<string, string>>;
  readonly engines?: { readonly node?: string };
  readonly dependencies?: Dependencies;
  readonly peerDependencies?: Dependencies;
  readonly devDependencies?: Dependencies;
}

/** A workspace package: its folder from the repository root (`packages/core`) and its manifest. */
export interface Workspace {
  readonly folder: string;
  readonly manifest: Manifest;
}

const manifestPath = /^((?:packages|examples)\/[^/]+)\/package\.json$/;

export function workspaces(files: readonly RepoFile[]): readonly Workspace[] {
  return files.flatMap(({ path, text }) => {
    const folder = manifestPath.exec(path)?.[1];
    return folder === undefined ? [] : [{ folder, manifest: JSON.parse(text) as Manifest }];
  });
}

/** `@scope/name` of `@scope/name/sub/path`, `name` of `name/sub/path`. */
export function packageName(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** True where the file goes into the tarball: within `files`, and not within one of its `!` patterns. */
export function publishes(path: string, { folder, manifest }: Workspace): boolean {
  const { files = [] } = manifest;
  const inside = posix.relative(folder, path);
  if (manifest.private === true || !files.includes(inside.split("/")[0] ?? "")) return false;
  return !files.some((entry) => entry.startsWith("!") && posix.matchesGlob(inside, entry.slice(1)));
}
