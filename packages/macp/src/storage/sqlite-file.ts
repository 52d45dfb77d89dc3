import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { AgentKeysError } from "@agentkeys/contract";
import { migrate } from "./sqlite-schema.ts";

/** Pages of the log before they are moved into the database: at 1000, the default, it is moved, and synced, four times as often. */
const checkpointPages = 4000;

/**
 * The database, held by this process alone: two runtimes on one directory would each believe their own memory. The operating system
 * gives the lock back with the process, however that ends.
 */
export function openSqliteFile(directory: string, waitMs: number): DatabaseSync {
  const file = join(directory, "macp.db");
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    closeSync(openSync(file, "a", 0o600));
    database = new DatabaseSync(file, { timeout: waitMs });
    database.exec(`
      PRAGMA locking_mode = EXCLUSIVE;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA wal_autocheckpoint = ${checkpointPages};
      BEGIN IMMEDIATE; COMMIT`);
    migrate(database);
    return database;
  } catch (cause) {
    database?.close();
    throw new AgentKeysError("config_invalid", `data directory ${directory}: ${problemOf(cause)}`, {
      cause,
    });
  }
}

/** SQLite's primary result code for a lock held by somebody else. */
const busy = 5;

function problemOf(error: unknown): string {
  if (!(error instanceof Error)) return "cannot be opened";
  if ("errcode" in error && typeof error.errcode === "number" && (error.errcode & 0xff) === busy) {
    return "in use by another runtime";
  }
  return error.message;
}
