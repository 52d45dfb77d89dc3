import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const imports = /(?:from|import)\s*\(?\s*"([^"]+)"/g;

/** Every specifier that leads out of the package from a module and what it imports. */
function outside(entry: URL, seen = new Set<string>()): Set<string> {
  const found = new Set<string>();
  if (seen.has(entry.href)) return found;
  seen.add(entry.href);
  for (const [, specifier = ""] of readFileSync(entry, "utf8").matchAll(imports)) {
    const inner = specifier.startsWith(".")
      ? outside(new URL(specifier, entry), seen)
      : [specifier];
    for (const name of inner) found.add(name);
  }
  return found;
}

const leads = (entry: string): string[] => [...outside(new URL(entry, import.meta.url))].toSorted();

test("the main entry leads to nothing that a browser lacks", () => {
  const found = leads("./index.ts");
  expect(found).toContain("@bufbuild/protobuf");
  expect(found.filter((name) => name.startsWith("node:") || name.startsWith("@grpc/"))).toEqual([]);
});

test("gRPC is behind its own entry", () => {
  expect(leads("./grpc.ts")).toContain("@grpc/grpc-js");
});
