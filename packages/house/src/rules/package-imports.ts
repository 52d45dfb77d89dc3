import { builtinModules } from "node:module";
import { posix } from "node:path";
import { packageName, publishes, workspaces, type Manifest, type Workspace } from "../manifests.ts";
import { moduleFacts } from "../module-facts.ts";
import type { RepoFile, Rule } from "../repository.ts";

const builtins = new Set(builtinModules);

/** The walls as imported: every import is declared, public, and stays out of other packages' files. */
export const packageImports: Rule = (files) => {
  const all = workspaces(files);
  const byName = new Map(all.map(({ manifest }) => [manifest.name, manifest]));
  return all.flatMap((workspace) =>
    files
      .filter(({ path }) => path.startsWith(`${workspace.folder}/`) && /\.[mc]?[jt]s$/.test(path))
      .flatMap((file) => [
        ...moduleFacts(file).imports.flatMap(({ specifier, line }) => {
          const wrong = wrongImport(specifier, { file, workspace, byName });
          return wrong === undefined ? [] : [`${file.path}:${line}: ${specifier} ${wrong}`];
        }),
        ...reachesInside(file, workspace),
      ]),
  );
};

interface Place {
  readonly file: RepoFile;
  readonly workspace: Workspace;
  readonly byName: ReadonlyMap<string, Manifest>;
}

function wrongImport(specifier: string, { file, workspace, byName }: Place): string | undefined {
  if (specifier.startsWith(".")) {
    const target = posix.join(posix.dirname(file.path), specifier);
    if (!target.startsWith(`${workspace.folder}/`)) return "leaves the package";
    const lost = publishes(file.path, workspace) && !publishes(target, workspace);
    return lost ? "is not in the tarball, and this file is" : undefined;
  }
  if (specifier.startsWith("node:")) {
    const inert = workspace.folder === "packages/contract" && publishes(file.path, workspace);
    return inert ? "is a Node.js built-in, and contract runs everywhere" : undefined;
  }
  if (builtins.has(specifier)) return "is written node:…";
  const name = packageName(specifier);
  if (!declaredFor(file, workspace).has(name)) return "is not declared for this file";
  const exported = byName.get(name)?.exports;
  if (exported === undefined) return byName.has(name) ? "exports nothing" : undefined;
  return `.${specifier.slice(name.length)}` in exported ? undefined : "is no published entry point";
}

/** What is published may lean on dependencies and peers only; the rest on everything declared. */
function declaredFor(file: RepoFile, workspace: Workspace): ReadonlySet<string> {
  const { name, dependencies, peerDependencies, devDependencies } = workspace.manifest;
  const published = { [name]: "", ...dependencies, ...peerDependencies };
  const rest = publishes(file.path, workspace) ? {} : devDependencies;
  return new Set(Object.keys({ ...published, ...rest }));
}

/** Paths in strings reach into other packages too: `new URL("../../core/src/x.ts", import.meta.url)`. */
function reachesInside(file: RepoFile, { folder }: Workspace): string[] {
  if (folder === "packages/house") return [];
  return moduleFacts(file)
    .strings.filter(({ value }) => /^\.\.?\//.test(value) && !value.includes("\n"))
    .map(({ value, line }) => ({
      line,
      target: posix.join(posix.dirname(file.path), value),
    }))
    .filter(({ target }) => /^packages\/[^/]+\/src(\/|$)/.test(target))
    .filter(({ target }) => !target.startsWith(`${folder}/`))
    .map(({ target, line }) => `${file.path}:${line}: reaches into ${target}`);
}
