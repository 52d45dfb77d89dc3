import type { DatabaseSync } from "node:sqlite";
import type { LogEntry } from "../store/store.ts";
import type { Log, Sealed } from "./log.ts";

/** A table of ciphertexts; `put` belongs inside a transaction. */
export function createBlobs(database: DatabaseSync, log: Log, table: "memories" | "credentials") {
  const sql = {
    put: database.prepare(`
      INSERT INTO ${table} (owner, name, blob) VALUES (?, ?, ?)
      ON CONFLICT (owner, name) DO UPDATE SET blob = excluded.blob`),
    find: database.prepare(`SELECT blob FROM ${table} WHERE owner = ? AND name = ?`),
  };
  return {
    put(row: { owner: string; name: string; blob: Uint8Array }, record: Sealed): LogEntry {
      sql.put.run(row.owner, row.name, row.blob);
      return log.append(record);
    },

    find(owner: string, name: string): Uint8Array | undefined {
      return sql.find.get(owner, name)?.["blob"] as Uint8Array | undefined;
    },
  };
}
