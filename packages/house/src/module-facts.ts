import { parseSync } from "oxc-parser";
import type { RepoFile } from "./repository.ts";

/** What the rules want to know about one TypeScript module. Lines count from 1. */
export interface ModuleFacts {
  /** Static, dynamic and type imports, and re-exports. */
  readonly imports: readonly { readonly specifier: string; readonly line: number }[];
  readonly exports: readonly ModuleExport[];
  readonly anyLines: readonly number[];
  readonly comments: readonly { readonly text: string; readonly line: number }[];
  readonly strings: readonly { readonly value: string; readonly line: number }[];
  /** Top-level statements that are neither imports nor exports. */
  readonly otherStatements: number;
}

interface ModuleExport {
  /** `*` for `export *`, `default` for a default export. */
  readonly name: string;
  readonly typeOnly: boolean;
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly [field: string]: unknown;
}

const known = new Map<string, ModuleFacts>();

export function moduleFacts(file: RepoFile): ModuleFacts {
  const key = `${file.path}\n${file.text}`;
  const facts = known.get(key) ?? read(file);
  known.set(key, facts);
  return facts;
}

function read({ path, text }: RepoFile): ModuleFacts {
  const { module, program, comments, errors } = parseSync(path, text, { sourceType: "module" });
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`);
  const lineOf = lineFinder(text);

  const imports = module.staticImports.map((found) => ({
    specifier: found.moduleRequest.value,
    line: lineOf(found.start),
  }));
  const exports: ModuleExport[] = [];
  for (const found of module.staticExports) {
    for (const entry of found.entries) {
      exports.push({ name: exportName(entry.exportName), typeOnly: entry.isType });
    }
    const from = found.entries[0]?.moduleRequest?.value;
    if (from !== undefined) imports.push({ specifier: from, line: lineOf(found.start) });
  }

  const anyLines: number[] = [];
  const strings: { value: string; line: number }[] = [];
  walk(program, (node) => {
    if (node.type === "TSAnyKeyword") anyLines.push(lineOf(node.start));
    if (node.type === "Literal" && typeof node["value"] === "string") {
      strings.push({ value: node["value"], line: lineOf(node.start) });
    }
    if (node.type !== "ImportExpression" && node.type !== "TSImportType") return;
    const source = node["source"] as { value?: unknown } | undefined;
    if (typeof source?.value === "string") {
      imports.push({ specifier: source.value, line: lineOf(node.start) });
    }
  });

  return {
    imports,
    exports,
    anyLines,
    strings,
    comments: comments.map((comment) => ({ text: comment.value, line: lineOf(comment.start) })),
    otherStatements: program.body.filter(({ type }) => !/^(Import|Export)/.test(type)).length,
  };
}

/** Line numbers of ascending or arbitrary offsets, without counting newlines anew for each. */
function lineFinder(text: string): (offset: number) => number {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  };
}

function exportName(found: { readonly kind: string; readonly name: string | null }): string {
  if (found.kind === "Default") return "default";
  return found.name ?? "*";
}

function walk(value: unknown, visit: (node: Node) => void): void {
  if (Array.isArray(value)) {
    for (const item of value) walk(item, visit);
    return;
  }
  if (typeof value !== "object" || value === null) return;
  if ("type" in value && typeof value.type === "string") visit(value as Node);
  for (const field of Object.values(value)) walk(field, visit);
}
