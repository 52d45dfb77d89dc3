import { statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { AgentKeysError } from "@agentkeys/contract";
import { migrate, schemaVersion } from "./migrate.ts";
import { ensurePrivateFile } from "./private-file.ts";
import { reasonOf } from "./sqlite-error.ts";

/** "AKey": marks the file as ours. */
const APPLICATION_ID = 0x41_4b_65_79;
/** Files up to this many bytes are checked whole at start (about a second and a half per GiB). */
const CHECKED_SIZE = 256 << 20;

/** Pages in the write-ahead log after which they are copied to the database; the log is then written from its start again. */
const CHECKPOINT = 1000;
/** Bytes of a write-ahead log of that length: its header, and a header and 4096 bytes for each page. */
export const walSize = 32 + CHECKPOINT * (24 + 4096);

/** NORMAL syncs around checkpoints; the sync after each commit is our own. */
const settings = `
PRAGMA trusted_schema = OFF;
PRAGMA cell_size_check = ON;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA fullfsync = ON;
PRAGMA checkpoint_fullfsync = ON;
PRAGMA wal_autocheckpoint = ${CHECKPOINT};
PRAGMA cache_size = -32768;
`;

/** Opens the database, creating it (mode 0600) or bringing it up to date. A newer, foreign or damaged one is refused by name. */
export function openDatabase(file: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    // SQLite gives its -wal and -shm files the mode of the database.
    if (file !== ":memory:") ensurePrivateFile(file);
    database = new DatabaseSync(file, { timeout: 250 });
    const version = versionOf(database, file);
    database.exec(settings);
    checkContent(database, file);
    if (version === 0) database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    migrate(database, version);
    return database;
  } catch (error) {
    database?.close();
    throw AgentKeysError.is(error) ? error : refused(file, reasonOf(error), error);
  }
}

function refused(file: string, problem: string, cause?: unknown): AgentKeysError {
  return new AgentKeysError("config_invalid", `database ${file}: ${problem}`, { cause });
}

function pragma(database: DatabaseSync, name: string): unknown {
  return database.prepare(`PRAGMA ${name}`).get()?.[name];
}

function versionOf(database: DatabaseSync, file: string): number {
  const version = Number(pragma(database, "user_version"));
  const tables = database.prepare("SELECT count(*) AS n FROM sqlite_schema").get()?.["n"];
  const ours = pragma(database, "application_id") === APPLICATION_ID;
  if (!ours && (version !== 0 || tables !== 0)) throw refused(file, "not an AgentKeys database");
  if (version > schemaVersion) {
    const problem = `written by a newer version of AgentKeys (schema ${version}, this one knows ${schemaVersion})`;
    throw refused(file, problem);
  }
  return version;
}

function checkContent(database: DatabaseSync, file: string): void {
  if (file === ":memory:") return;
  if (pragma(database, "journal_mode") !== "wal") {
    throw refused(file, "this file system does not support SQLite's write-ahead log");
  }
  if (statSync(file).size > CHECKED_SIZE) return;
  const finding = database.prepare("PRAGMA quick_check(1)").get()?.["quick_check"];
  if (finding !== "ok") throw refused(file, "damaged (SQLite's integrity check failed)");
}

/** Versions before 3.51.3 can corrupt a database in write-ahead mode when a checkpoint and a reset of the log meet. */
export function sqliteWarning(version: string): string | undefined {
  const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number);
  return major * 1e6 + minor * 1e3 + patch >= 3_051_003
    ? undefined
    : `SQLite ${version} has a bug that can damage a database; run a Node.js with SQLite 3.51.3 or newer`;
}

export function sqliteVersion(database: DatabaseSync): string {
  return String(database.prepare("SELECT sqlite_version() AS version").get()?.["version"]);
}
