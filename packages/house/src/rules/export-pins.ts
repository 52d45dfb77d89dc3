import { workspaces } from "../manifests.ts";
import { moduleFacts } from "../module-facts.ts";
import type { RepoFile, Rule } from "../repository.ts";

/** Exported names of one entry point, sorted. */
export interface Pin {
  readonly values: readonly string[];
  readonly types: readonly string[];
}

/** By entry point: `@agentkeys/core`, `@agentkeys/testing/langchain`. */
export type Pins = Readonly<Record<string, Pin>>;

export const pinsPath = "packages/house/src/pins/exports.json";

/** What published entry points export is what is pinned, name by name: an export is a decision. */
export const exportPins: Rule = (files) => {
  const pinned = JSON.parse(
    files.find(({ path }) => path === pinsPath)?.text ?? "{}",
  ) as Partial<Pins>;
  const actual = readPins(files);
  return [...new Set([...Object.keys(pinned), ...Object.keys(actual)])].flatMap((entry) => {
    const before = names(pinned[entry]);
    const now = names(actual[entry]);
    return [
      ...now.filter((name) => !before.includes(name)).map((name) => `exports ${name}, not pinned`),
      ...before.filter((name) => !now.includes(name)).map((name) => `no longer exports ${name}`),
    ].map((wrong) => `${pinsPath}: ${entry} ${wrong} (accept with: pnpm pin-exports)`);
  });
};

export function readPins(files: readonly RepoFile[]): Pins {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const pins: Record<string, Pin> = {};
  for (const { folder, manifest } of workspaces(files)) {
    if (manifest.private === true) continue;
    for (const [key, entry] of Object.entries(manifest.exports ?? {})) {
      const { "@agentkeys/source": source, types } = entry as Readonly<Record<string, string>>;
      // Without declarations it is a program, and what it promises is its command line.
      if (source === undefined || types === undefined) continue;
      const file = byPath.get(`${folder}/${source.slice(2)}`);
      if (file !== undefined) pins[manifest.name + key.slice(1)] = pinOf(file);
    }
  }
  return pins;
}

function pinOf(file: RepoFile): Pin {
  const { exports } = moduleFacts(file);
  const sorted = (typeOnly: boolean): string[] =>
    exports
      .filter((found) => found.typeOnly === typeOnly)
      .map(({ name }) => name)
      .toSorted();
  return { values: sorted(false), types: sorted(true) };
}

function names(pin: Pin | undefined): string[] {
  return [...(pin?.values ?? []), ...(pin?.types ?? []).map((name) => `type ${name}`)];
}
