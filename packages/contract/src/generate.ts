// Writes generated/ from the tool table; with --check it only compares and exits 1 when something is out of date.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { errorTable } from "./errors.ts";
import { openApi } from "./openapi.ts";
import { toJsonSchema } from "./tool.ts";
import { toolList } from "./tool-list.ts";
import { tools } from "./tools.ts";

const folder = new URL("../generated/", import.meta.url);
const schemas = Object.fromEntries(
  Object.values(tools).map((row) => [
    row.id,
    { input: toJsonSchema(row.input), output: toJsonSchema(row.output), ambient: row.ambient },
  ]),
);
const files: Record<string, unknown> = {
  "errors.json": errorTable,
  "openapi.json": openApi(),
  "schemas.json": schemas,
  "tools-default.json": { tools: toolList("default") },
  "tools-v1.json": { tools: toolList("v1") },
};

const check = process.argv.includes("--check");
mkdirSync(folder, { recursive: true });
const stale = Object.entries(files).filter(([name, value]) => {
  const text = `${JSON.stringify(value, null, 2)}\n`;
  const path = new URL(name, folder);
  let old: string | undefined;
  try {
    old = readFileSync(path, "utf8");
  } catch {
    // Missing counts as out of date.
  }
  if (old === text) return false;
  if (!check) writeFileSync(path, text);
  return true;
});
for (const [name] of stale) console.log(`${check ? "out of date" : "wrote"}: generated/${name}`);
if (check && stale.length > 0) {
  console.error("run: npx -y pnpm@12 generate");
  process.exitCode = 1;
}
