import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { AgentKeysError } from "@agentkeys/core";

/** Makes the directory where there is none, with its keys and tokens out of anybody's repository. Gives its path. */
export function dataDirectory(path: string): string {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === false) {
    throw new AgentKeysError("config_invalid", `--data ${path}: not a directory`);
  }
  if (make(path)) writeFileSync(join(path, ".gitignore"), "*\n");
  return path;
}

/** Whether it was made here. Not with `recursive`, which never ends where a file system (/proc) lets nobody make anything. */
function make(path: string): boolean {
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return false;
  if (dirname(path) !== path) make(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
    return true;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    throw new AgentKeysError("config_invalid", `data directory ${path}: ${code}`, { cause });
  }
}
