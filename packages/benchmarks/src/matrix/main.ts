import { readFile, writeFile } from "node:fs/promises";
import { committed } from "./committed.ts";
import { frameworks } from "./frameworks.ts";
import { toMarkdown } from "./render.ts";
import { playAll, toJson, unexplained } from "./table.ts";

const table = await playAll(frameworks);
const json = toJson(table);
const open = unexplained(table, frameworks);
for (const cell of open) console.error(`something ran, and no note says why: ${cell}`);
if (process.argv.includes("--update")) {
  await writeFile(committed.json, json);
  await writeFile(committed.page, toMarkdown(table, frameworks));
} else {
  console.log(toMarkdown(table, frameworks));
  const before = await readFile(committed.json, "utf8").catch(() => "");
  if (before !== json) console.error("differs from what is committed: pnpm matrix:update");
  if (before !== json || open.length > 0) process.exitCode = 1;
}
