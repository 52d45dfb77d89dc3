import { closeSync, fdatasync, fdatasyncSync, fstatSync, openSync, writeSync } from "node:fs";
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
 * `room`: bytes that the file has from the start.
 */
export function openWalSync(database: DatabaseSync, room = 0): Sync {
  const file = database.location();
  if (file === null) return inMemory;
  const wal = openSync(`${file}-wal`, "r+");
  makeRoom(wal, room);
  // Also what a killed process committed and could not sync any more.
  fdatasyncSync(wal);
  return {
    now: () => fdatasyncSync(wal),
    later: (done) => fdatasync(wal, done),
    close: () => closeSync(wal),
  };
}

/**
 * A file that is overwritten is synced faster than one that grows. Zeros behind the last frame are to SQLite what old frames are that
 * it leaves there when it starts the log anew: none of its frames, for want of its salt.
 */
function makeRoom(wal: number, room: number): void {
  try {
    const { size } = fstatSync(wal);
    if (size < room) writeSync(wal, Buffer.alloc(room - size), 0, room - size, size);
  } catch {
    // Without the room the log grows record by record, and a full disk is told of by the record that does not fit.
  }
}
