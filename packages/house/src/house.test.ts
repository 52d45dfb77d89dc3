import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { readRepository, type Rule } from "./repository.ts";

const repository = readRepository();
const folder = new URL("rules/", import.meta.url);
const modules = readdirSync(folder).filter((name) => name.endsWith(".ts"));
const rules = modules.filter((name) => !name.endsWith(".test.ts"));

/** A rule module exports one function of a file list, named like the file, and helpers beside it. */
async function ruleOf(file: string): Promise<Rule> {
  const name = file
    .replace(".ts", "")
    .replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  const module = (await import(new URL(file, folder).href)) as Readonly<Record<string, Rule>>;
  const rule = module[name];
  if (rule === undefined) throw new Error(`${file} exports no ${name}`);
  return rule;
}

test.each(rules)("the repository passes %s", async (file) => {
  const rule = await ruleOf(file);
  expect(rule(repository)).toEqual([]);
});

test("every rule is proved to catch something", () => {
  const unproved = rules.filter((name) => !modules.includes(name.replace(".ts", ".test.ts")));
  expect(unproved).toEqual([]);
});
