import { workspaces } from "../manifests.ts";
import type { Rule } from "../repository.ts";

/** All published packages are released together, at one version, and nothing else is. */
export const releaseGroup: Rule = (files) => {
  const path = ".changeset/config.json";
  const config = files.find((file) => file.path === path);
  const { fixed = [] } = JSON.parse(config?.text ?? "{}") as { fixed?: string[][] };
  const listed = fixed.flat().toSorted();
  const published = workspaces(files)
    .filter(({ manifest }) => manifest.private !== true)
    .map(({ manifest }) => manifest.name)
    .toSorted();
  if (fixed.length === 1 && listed.join() === published.join()) return [];
  return [`${path}: expected one fixed group of ${published.join(", ")}`];
};
