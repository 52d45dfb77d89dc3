import { readFileSync } from "node:fs";
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type Tags,
  visit,
} from "yaml";
import { configInvalid } from "./config-problems.ts";

export interface ConfigFile {
  /** Plain maps, lists and scalars. */
  readonly value: unknown;
  /** Line, from 1, of the key at a path, or of the nearest key above it that exists. */
  readonly lineOf: (path: readonly PropertyKey[]) => number;
}

/** Reads a YAML file. Throws `config_invalid` with file and line for what is not YAML, and for keys that stand twice. */
export function readConfigFile(file: string): ConfigFile {
  const counter = new LineCounter();
  const document = parseDocument(readText(file), {
    lineCounter: counter,
    // Its pretty errors quote the line, which may hold a secret.
    prettyErrors: false,
    customTags: withoutHex,
  });
  const lineAt = (offset: number) => counter.linePos(offset).line;
  const found: { message: string; offset: number }[] = [];
  for (const { message, pos } of [...document.errors, ...document.warnings]) {
    found.push({ message, offset: pos[0] });
  }
  visit(document, {
    Alias: (_, alias) => {
      if (alias.resolve(document) !== undefined) return;
      found.push({ message: `no anchor &${alias.source} above`, offset: startOf(alias) ?? 0 });
    },
  });
  if (found.length > 0) {
    const problems = found.map(({ message, offset }) => ({
      path: [],
      message,
      line: lineAt(offset),
    }));
    throw configInvalid(file, problems);
  }
  return { value: toPlain(document, file), lineOf: (path) => lineAt(offsetOf(document, path)) };
}

function toPlain(document: Document, file: string): unknown {
  try {
    return document.toJS() as unknown;
  } catch {
    throw configInvalid(file, [{ path: [], message: "too many aliases" }]);
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const message = `cannot be read (${(cause as NodeJS.ErrnoException).code ?? "unknown error"})`;
    throw configInvalid(file, [{ path: [], message }]);
  }
}

/** Without hexadecimal and octal numbers, so that an omni needs no quotes. */
function withoutHex(tags: Tags): Tags {
  return tags.filter(
    (tag) => typeof tag === "string" || !["HEX", "OCT"].includes(tag.format ?? ""),
  );
}

function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const key of path) {
    if (isAlias(node)) node = node.resolve(document);
    const pair = isMap(node) ? node.items.find((item) => named(item, key)) : undefined;
    const item = isSeq(node) ? node.items[Number(key)] : undefined;
    if (pair === undefined && item === undefined) break;
    offset = startOf(pair?.key ?? item) ?? offset;
    node = pair?.value ?? item;
  }
  return offset;
}

function named({ key }: Pair, name: PropertyKey): boolean {
  return isScalar(key) && String(key.value) === name;
}

function startOf(node: unknown): number | undefined {
  return (node as Node | undefined | null)?.range?.[0];
}
