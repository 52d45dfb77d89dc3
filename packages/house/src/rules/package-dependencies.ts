import { workspaces, type Manifest } from "../manifests.ts";
import type { Rule } from "../repository.ts";
import { frameworkNames, internalFolders, walls, type Wall } from "../walls.ts";

/** The walls as declared: who names whom in package.json, and how. */
export const packageDependencies: Rule = (files) => {
  const all = workspaces(files);
  return [
    ...wrongSet(all.map(({ folder, manifest }) => `${folder} ${manifest.name}`)),
    ...all.flatMap(({ folder, manifest }) =>
      [...ranges(manifest), ...wallsOf(manifest)].map(
        (wrong) => `${folder}/package.json: ${wrong}`,
      ),
    ),
  ];
};

function wrongSet(found: readonly string[]): string[] {
  const expected = new Set([
    ...Object.entries(walls).map(([name, { folder }]) => `packages/${folder} ${name}`),
    ...internalFolders.map((folder) => `packages/${folder} @agentkeys-internal/${folder}`),
  ]);
  const packages = found.filter((line) => line.startsWith("packages/"));
  return packages
    .filter((line) => !expected.has(line))
    .map((line) => `${line.replace(" ", "/package.json: ")} is not in the table of walls`);
}

/** Ours by `workspace:^`, everything else from the catalog, so that each version stands once. */
function ranges({ dependencies, devDependencies }: Manifest): string[] {
  return Object.entries({ ...devDependencies, ...dependencies })
    .filter(([name, range]) => range !== (name in walls ? "workspace:^" : "catalog:"))
    .map(([name, range]) => `${name} is ${range}, expected workspace:^ or catalog:`);
}

function wallsOf(manifest: Manifest): string[] {
  const wall = walls[manifest.name];
  if (wall === undefined) return [];
  const declared = Object.keys(manifest.dependencies ?? {});
  const peers = Object.keys(manifest.peerDependencies ?? {});
  const forTests = Object.keys(manifest.devDependencies ?? {});
  const testsUse = new Set([...wall.uses, ...(wall.testsUse ?? [])]);
  return [
    ...declared
      .filter((name) => frameworkNames.has(name))
      .map((name) => `${name} is a framework: a peer, never a dependency`),
    ...[...declared, ...peers]
      .filter((name) => !mayUse(wall, name))
      .map((name) => `may not use ${name}`),
    ...forTests
      .filter((name) => name in walls && !testsUse.has(name))
      .map((name) => `tests may not use ${name}`),
  ];
}

/** Vitest is a peer of what extends it; frameworks are allowed to whoever they are written for. */
function mayUse(wall: Wall, name: string): boolean {
  if (name in walls) return wall.uses.includes(name);
  if (frameworkNames.has(name)) return wall.frameworks?.includes(name) ?? false;
  return wall.libraries?.includes(name) ?? true;
}
