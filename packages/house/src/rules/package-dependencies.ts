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

/** What a user's project must hold once: published with its floor, developed against its newest. */
const sharedWithUsers = new Set(["zod"]);

/** Ours by `workspace:^`, everything else from a catalog, so that each version stands once. */
function ranges({ private: own, dependencies, devDependencies }: Manifest): string[] {
  const expected = (name: string): string => {
    if (name in walls) return "workspace:^";
    const shared = own !== true && dependencies?.[name] !== undefined && sharedWithUsers.has(name);
    return shared ? "catalog:published" : "catalog:";
  };
  return Object.entries({ ...devDependencies, ...dependencies })
    .filter(([name, range]) => range !== expected(name))
    .map(([name, range]) => `${name} is ${range}, expected ${expected(name)}`);
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
