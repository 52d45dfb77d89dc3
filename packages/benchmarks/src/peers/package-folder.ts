import { createRequire } from "node:module";
import { join } from "node:path";

/** Where this package has that one. */
export function packageFolder(name: string): string {
  const entry = createRequire(import.meta.url).resolve(name);
  const within = join("node_modules", name);
  return entry.slice(0, entry.lastIndexOf(within) + within.length);
}
