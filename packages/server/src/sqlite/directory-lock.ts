import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { AgentKeysError } from "@agentkeys/contract";
import { ensurePrivateFile } from "./private-file.ts";
import { isBusy, reasonOf } from "./sqlite-error.ts";

/**
 * Takes the data directory for this authority and returns the function that gives it back. The lock is an exclusive transaction on
 * an empty database, so the operating system frees it with the process, however that ends; two authorities in one process exclude
 * each other too. The file beside it only says who holds the lock.
 */
export function lockDirectory(directory: string): () => void {
  const holderFile = join(directory, "holder.json");
  let database: DatabaseSync | undefined;
  try {
    const file = join(directory, "lock.db");
    ensurePrivateFile(file);
    database = new DatabaseSync(file, { timeout: 0 });
    database.exec("BEGIN EXCLUSIVE");
    const holder = { pid: process.pid, since: new Date().toISOString() };
    writeFileSync(holderFile, `${JSON.stringify(holder)}\n`, { mode: 0o600 });
  } catch (cause) {
    database?.close();
    const problem = isBusy(cause) ? `in use by ${holderOf(holderFile)}` : reasonOf(cause);
    throw new AgentKeysError("config_invalid", `data directory ${directory}: ${problem}`, {
      cause,
    });
  }
  const held = database;
  return () => {
    rmSync(holderFile, { force: true });
    held.close();
  };
}

function holderOf(file: string): string {
  try {
    const { pid, since } = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
    if (typeof pid !== "number" || typeof since !== "string") return "another process";
    const who = pid === process.pid ? `this process (${pid})` : `process ${pid}`;
    return `${who}, since ${since}`;
  } catch {
    return "another process";
  }
}
