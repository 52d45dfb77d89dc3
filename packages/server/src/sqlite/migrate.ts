import type { DatabaseSync } from "node:sqlite";
import { migration001 } from "./migration-001.ts";
import { migration002 } from "./migration-002.ts";
import { migration003 } from "./migration-003.ts";

/** Migration N takes `user_version` from N - 1 to N. Never edited once released. */
const migrations: readonly string[] = [migration001, migration002, migration003];

export const schemaVersion = migrations.length;

/** Brings the database up to `schemaVersion`; each step is one transaction. */
export function migrate(database: DatabaseSync, version: number): void {
  for (let next = version + 1; next <= schemaVersion; next++) {
    database.exec(
      `BEGIN IMMEDIATE; ${migrations[next - 1]}; PRAGMA user_version = ${next}; COMMIT`,
    );
  }
}
