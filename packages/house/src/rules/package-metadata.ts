import { workspaces, type Manifest, type Workspace } from "../manifests.ts";
import type { Rule } from "../repository.ts";

const repository = "https://github.com/agentkeys/agentkeys-ts";

/** What the registry shows of a published package, and what a program that loads it relies on. */
export const packageMetadata: Rule = (files) => {
  const published = workspaces(files).filter(({ manifest }) => manifest.private !== true);
  const versions = new Set(published.map(({ manifest }) => manifest.version));
  const texts = new Map(files.map(({ path, text }) => [path, text]));
  return [
    ...(versions.size > 1
      ? [`packages: released together, but at ${[...versions].join(", ")}`]
      : []),
    ...published.flatMap((workspace) => {
      const readme = `${workspace.folder}/README.md`;
      return [
        ...(texts.has(readme) ? [] : [`${readme}: missing`]),
        ...expectations(workspace)
          .filter(([holds]) => !holds)
          .map(([, expected]) => `${workspace.folder}/package.json: expected ${expected}`),
        ...unlikeBuild(workspace, texts.get(`${workspace.folder}/tsconfig.build.json`) ?? "{}"),
      ];
    }),
  ];
};

function expectations({ folder, manifest }: Workspace): [boolean, string][] {
  const { version = "", keywords = [], files = [] } = manifest;
  return [
    [/^(0\.[1-9]\d*|[1-9]\d*\.\d+)\.\d+/.test(version), "version 0.1.0 or later"],
    [manifest.license === "Apache-2.0", "license Apache-2.0"],
    [(manifest.description ?? "").length > 20, "a description"],
    [keywords.includes("agentkeys") && keywords.length >= 3, "keywords with agentkeys among them"],
    [manifest.repository?.url === `git+${repository}.git`, `repository ${repository}`],
    [manifest.repository?.directory === folder, `repository.directory ${folder}`],
    [manifest.homepage === `${repository}/tree/main/${folder}#readme`, "homepage at its README"],
    [manifest.bugs === `${repository}/issues`, "bugs at the repository's issues"],
    [manifest.type === "module", "type module"],
    [manifest.engines?.node === ">=22.19", "engines.node >=22.19"],
    [manifest.publishConfig?.access === "public", "publishConfig.access public"],
    ...["dist", "src", "!src/**/*.test.ts", "!src/**/*.test-d.ts", "!src/**/testdata/**"].map(
      (entry): [boolean, string] => [files.includes(entry), `files with ${entry}`],
    ),
    ...wrongEntries(manifest).map((key): [boolean, string] => [
      false,
      `exports["${key}"] with @agentkeys/source, types and default, in this order`,
    ]),
  ];
}

/** Source first, so that the repository runs un-built; `types` before `default`, as TypeScript asks. */
function wrongEntries({ exports = {}, bin }: Manifest): string[] {
  return Object.entries(exports)
    .filter(([key]) => key !== "./package.json")
    .filter(([, entry]) => {
      if (typeof entry === "string") return /^\.\/(src|dist)\//.test(entry);
      const conditions = Object.entries(entry ?? {});
      const keys = conditions.map(([condition]) => condition).join();
      const paths = conditions.map(([, path]) => String(path));
      const stem = /^\.\/src\/(.+)\.ts$/.exec(paths[0] ?? "")?.[1];
      const library = `./src/${stem}.ts,./dist/${stem}.d.ts,./dist/${stem}.js`;
      if (keys === "@agentkeys/source,types,default") return paths.join() !== library;
      // A program is started and not imported, so it needs no declarations.
      const program = `./src/${stem}.ts,./dist/${stem}.js`;
      return bin === undefined || keys !== "@agentkeys/source,default" || paths.join() !== program;
    })
    .map(([key]) => key);
}

/** What stays out of the tarball as source must stay out of it as code. */
function unlikeBuild({ folder, manifest }: Workspace, tsconfig: string): string[] {
  const { exclude = [] } = JSON.parse(tsconfig) as { exclude?: string[] };
  const unpublished = (manifest.files ?? []).filter((entry) => /^!src\/.*\.ts$/.test(entry));
  if (
    unpublished
      .map((entry) => entry.slice(1))
      .toSorted()
      .join() === exclude.toSorted().join()
  ) {
    return [];
  }
  return [`${folder}/tsconfig.build.json: expected to exclude ${unpublished.join(" ")}`];
}
