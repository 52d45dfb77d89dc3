import type { DatabaseSync } from "node:sqlite";
import type { CapRow } from "../store/store.ts";
import type { Log, Sealed } from "./log.ts";

/** Capabilities; `put` and `revoke` belong inside a transaction. */
export function createCaps(database: DatabaseSync, log: Log) {
  const sql = {
    put: database.prepare(
      "INSERT INTO caps (nonce, actor, expires_at, revoked_at) VALUES (?, ?, ?, ?)",
    ),
    find: database.prepare("SELECT nonce, actor, expires_at, revoked_at FROM caps WHERE nonce = ?"),
    revoke: database.prepare("UPDATE caps SET revoked_at = ? WHERE nonce = ?"),
  };
  const find = (nonce: string): CapRow | undefined => {
    const row = sql.find.get(nonce) as unknown as
      | (Omit<CapRow, "revoked_at"> & { readonly revoked_at: number | null })
      | undefined;
    return row === undefined ? undefined : { ...row, revoked_at: row.revoked_at ?? undefined };
  };

  return {
    find,

    put({ nonce, actor, expires_at, revoked_at }: CapRow, record: Sealed | undefined): void {
      sql.put.run(nonce, actor, expires_at, revoked_at ?? null);
      if (record !== undefined) log.append(record);
    },

    revoke(
      nonce: string,
      at: number,
      record: Sealed | undefined,
    ): "revoked" | "already" | "unknown" {
      const cap = find(nonce);
      if (cap === undefined) return "unknown";
      if (cap.revoked_at !== undefined) return "already";
      sql.revoke.run(at, nonce);
      if (record !== undefined) log.append(record);
      return "revoked";
    },
  };
}
