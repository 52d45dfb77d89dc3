import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { LogEntry, Store } from "../kernel/store.ts";
import { GroupCommit } from "./group-commit.ts";
import { openSqliteFile } from "./sqlite-file.ts";
import { createBoundReader, entryColumns, toEnvelope, toLogEntry } from "./sqlite-rows.ts";

export interface SqliteStoreOptions {
  /** Holds `macp.db`; made with mode 0700 where it is missing. */
  directory: string;
  /** Milliseconds to wait for a runtime that is going away and still holds the file. Default 3000. */
  waitMs?: number;
  /** Told how many entries went into each commit, after its sync. */
  onCommit?: (entries: number) => void;
}

/**
 * The log in one SQLite file. What has been settled survives the process, however it ends.
 *
 * @throws AgentKeysError `config_invalid` when the file cannot be opened, or is in use by another runtime.
 */
export function openSqliteStore({ directory, waitMs = 3000, onCommit }: SqliteStoreOptions): Store {
  const database = openSqliteFile(directory, waitMs);
  const commit = new GroupCommit(database, { write: createWriter(database), onCommit });
  const boundOf = createBoundReader();
  const sql = {
    all: reader(
      database,
      `SELECT ${entryColumns} FROM entry e JOIN session s ON s.id = e.session
      WHERE s.ended = 0 OR s.started_at_ms > ? ORDER BY e.session, e.idx`,
    ),
    one: reader(
      database,
      `SELECT ${entryColumns} FROM session s JOIN entry e ON e.session = s.id
      WHERE s.session_id = ? ORDER BY e.idx`,
    ),
    accepted: reader(
      database,
      `SELECT ${entryColumns} FROM session s JOIN entry e ON e.session = s.id
      WHERE s.session_id = ? AND e.ordinal > ? ORDER BY e.idx`,
    ),
    forgetEntries: database.prepare(
      "DELETE FROM entry WHERE session IN (SELECT id FROM session WHERE ended = 1 AND started_at_ms < ?)",
    ),
    forgetSessions: database.prepare("DELETE FROM session WHERE ended = 1 AND started_at_ms < ?"),
  };
  return {
    volatile: false,
    append: (entry, settled) => commit.append(entry, settled),
    *entries(startedAfterMs) {
      for (const row of sql.all.iterate(startedAfterMs)) yield toLogEntry(rowOf(row), boundOf);
    },
    *read(sessionId) {
      for (const row of sql.one.iterate(sessionId)) yield toLogEntry(rowOf(row), boundOf);
    },
    history: (sessionId, after) =>
      sql.accepted.all(sessionId, after).map((row) => ({
        ordinal: Number(rowOf(row)[3]),
        envelope: toEnvelope(rowOf(row)),
      })),
    forget(startedBeforeMs) {
      sql.forgetEntries.run(startedBeforeMs);
      sql.forgetSessions.run(startedBeforeMs);
    },
    close() {
      if (!database.isOpen) return;
      commit.close();
      database.close();
    },
  };
}

/** Rows as arrays; integers as bigints, because a client's timestamp may be any int64. */
function reader(database: DatabaseSync, text: string): StatementSync {
  const statement = database.prepare(text);
  statement.setReadBigInts(true);
  statement.setReturnArrays(true);
  return statement;
}

/** Node's types know rows as objects only. */
function rowOf(row: unknown): Parameters<typeof toEnvelope>[0] {
  return row as Parameters<typeof toEnvelope>[0];
}

/** Writes one entry inside the transaction that is open. */
function createWriter(database: DatabaseSync): (entry: LogEntry) => void {
  const sql = {
    session: database.prepare(
      "INSERT INTO session (session_id, mode, started_at_ms, bound) VALUES (?, ?, ?, ?)",
    ),
    ended: database.prepare("UPDATE session SET ended = 1 WHERE session_id = ?"),
    entry: database.prepare(`
      INSERT INTO entry (session, idx, ordinal, received_at_ms, ends, message_type, message_id, sender, timestamp_unix_ms, payload)
      VALUES ((SELECT id FROM session WHERE session_id = ?), ?, ?, ?, ?, ?, ?, ?, ?, ?)`),
  };
  return (entry) => {
    const { sessionId, index, receivedAtMs, ends } = entry;
    const place = [sessionId, index] as const;
    if (entry.kind === "internal") {
      const { messageType, payload } = entry;
      sql.entry.run(...place, null, receivedAtMs, +ends, messageType, null, null, null, payload);
    } else {
      const { envelope, ordinal, bound } = entry;
      if (bound !== undefined) {
        sql.session.run(sessionId, envelope.mode, receivedAtMs, JSON.stringify(bound));
      }
      const { messageType, messageId, sender, timestampUnixMs, payload } = envelope;
      const message = [messageType, messageId, sender, timestampUnixMs, payload] as const;
      sql.entry.run(...place, ordinal, receivedAtMs, +ends, ...message);
    }
    if (ends) sql.ended.run(sessionId);
  };
}
