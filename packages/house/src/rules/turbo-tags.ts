import { workspaces } from "../manifests.ts";
import type { Rule } from "../repository.ts";
import { walls } from "../walls.ts";

/** `turbo boundaries` holds only what is tagged; a package without its tag is a hole in the wall. */
export const turboTags: Rule = (files) =>
  workspaces(files).flatMap(({ folder, manifest }) => {
    const expected = folder.startsWith("examples/")
      ? "example"
      : (walls[manifest.name]?.tag ?? "internal");
    const config = files.find(({ path }) => path === `${folder}/turbo.json`);
    const { tags = [] } = JSON.parse(config?.text ?? "{}") as { tags?: string[] };
    const tagged = tags.length === 1 && tags[0] === expected;
    return tagged ? [] : [`${folder}/turbo.json: expected the tag ${expected}, and only that`];
  });
