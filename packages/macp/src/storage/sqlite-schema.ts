import type { DatabaseSync } from "node:sqlite";

/** Migration N takes `user_version` from N - 1 to N. Never edited once released. */
const migrations: readonly string[] = [
  `CREATE TABLE session (
    id INTEGER PRIMARY KEY,
    session_id TEXT NOT NULL UNIQUE,
    mode TEXT NOT NULL,
    started_at_ms INTEGER NOT NULL,
    ended INTEGER NOT NULL DEFAULT 0,
    bound TEXT NOT NULL
  ) STRICT;
  CREATE INDEX session_by_start ON session (ended, started_at_ms);
  CREATE TABLE entry (
    session INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    ordinal INTEGER,
    received_at_ms INTEGER NOT NULL,
    ends INTEGER NOT NULL,
    message_type TEXT NOT NULL,
    message_id TEXT,
    sender TEXT,
    timestamp_unix_ms INTEGER,
    payload BLOB NOT NULL,
    PRIMARY KEY (session, idx)
  ) STRICT, WITHOUT ROWID`,
];

/** Brings the database to the newest schema. Throws when a newer program has written it. */
export function migrate(database: DatabaseSync): void {
  const row = database.prepare("PRAGMA user_version").get();
  const version = Number(row?.["user_version"]);
  if (version > migrations.length) {
    throw new Error(`written by a newer version (schema ${version}, known: ${migrations.length})`);
  }
  for (let next = version + 1; next <= migrations.length; next++) {
    database.exec(
      `BEGIN IMMEDIATE; ${migrations[next - 1]}; PRAGMA user_version = ${next}; COMMIT`,
    );
  }
}
