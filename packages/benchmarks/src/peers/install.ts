import { execFile } from "node:child_process";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { packageFolder } from "./package-folder.ts";
import { type Apart, versions } from "./versions.ts";

/** Modules of one set, by package name; or why they could not be had. */
export type Installed = ReadonlyMap<string, unknown> | { readonly missing: string };

/** What peers expect beside them: here they find ours. */
const beside = ["ai", "zod"];

/** How long one installation may take, in milliseconds. */
const timeout = 180_000;

/** Installs into a folder of its own under `directory`, and imports. Never rejects. */
export async function installApart(set: Apart, directory: string): Promise<Installed> {
  const folder = join(directory, set.replaceAll(" ", "-"));
  const wanted = Object.entries(versions[set]);
  try {
    await mkdir(folder);
    await writeFile(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
    const exact = wanted.map(([name, version]) => `${name}@${version}`);
    const options = ["--no-audit", "--no-fund", "--ignore-scripts", "--legacy-peer-deps"];
    await promisify(execFile)("npm", ["install", ...options, ...exact], { cwd: folder, timeout });
    for (const name of beside) {
      await symlink(packageFolder(name), join(folder, "node_modules", name), "junction");
    }
    return new Map(await Promise.all(wanted.map(([name]) => load(folder, name))));
  } catch (error) {
    const [first = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
    return { missing: first };
  }
}

/** A module in the folder itself finds there what it imports. */
async function load(folder: string, name: string): Promise<readonly [string, unknown]> {
  const file = join(folder, `${name.replaceAll(/\W/g, "-")}.js`);
  await writeFile(file, `export * from ${JSON.stringify(name)};\n`);
  return [name, await import(pathToFileURL(file).href)];
}
