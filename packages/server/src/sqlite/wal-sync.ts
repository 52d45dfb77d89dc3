import { closeSync, fdatasync, fdatasyncSync, openSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";

/** Puts on disk what has been committed. */
export interface Sync {
  /** Blocks: the quickest way while nobody else waits. */
  now(): void;
  /** On another thread. `done` is called once, never before `later` returns. */
  later(done: (error: Error | null) => void): void;
  close(): void;
}

const inMemory: Sync = {
  now: () => undefined,
  later: (done) => void setImmediate(done, null),
  close: () => undefined,
};

/**
 * Syncs the write-ahead log of an open database. SQLite could do so inside COMMIT (`synchronous=FULL`), but then the thread that
 * reads, decides and answers would wait for the disk. The log keeps its file while a connection is open, and no lock lies on it.
 */
export function openWalSync(database: DatabaseSync): Sync {
  const file = database.location();
  if (file === null) return inMemory;
  const wal = openSync(`${file}-wal`, "r+");
  // What a killed process committed and could not sync any more.
  fdatasyncSync(wal);
  return {
    now: () => fdatasyncSync(wal),
    later: (done) => fdatasync(wal, done),
    close: () => closeSync(wal),
  };
}
