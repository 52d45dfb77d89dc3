import type { DatabaseSync } from "node:sqlite";
import { type Log, type Sealed, toHash } from "./log.ts";

interface RevokedRow {
  readonly actor: string;
  readonly reason: string;
  readonly revoked_at: number;
}

/** Revocations and data keys of actors; `revoke` and `putKey` belong inside a transaction. */
export function createActors(database: DatabaseSync, log: Log) {
  const sql = {
    revoke: database.prepare(
      "INSERT INTO revoked_actors (actor, reason, revoked_at, record_seq) VALUES (?, ?, ?, ?)",
    ),
    revoked: database.prepare(`
      SELECT r.revoked_at, log.hash FROM revoked_actors r JOIN log ON log.seq = r.record_seq
      WHERE r.actor = ?`),
    allRevoked: database.prepare("SELECT actor, reason, revoked_at FROM revoked_actors"),
    putKey: database.prepare(
      "INSERT INTO actor_keys (actor, wrapped) VALUES (?, ?) ON CONFLICT DO NOTHING",
    ),
    key: database.prepare("SELECT wrapped FROM actor_keys WHERE actor = ?"),
  };
  const key = (actor: string) => sql.key.get(actor)?.["wrapped"] as Uint8Array | undefined;

  return {
    key,

    putKey(actor: string, fresh: () => Uint8Array): Uint8Array {
      const known = key(actor);
      if (known !== undefined) return known;
      const wrapped = fresh();
      sql.putKey.run(actor, wrapped);
      return wrapped;
    },

    revoke(revocation: { actor: string; reason: string; at: number }, record: Sealed) {
      const { actor, reason, at } = revocation;
      const known = sql.revoked.get(actor) as unknown as
        | { readonly revoked_at: number; readonly hash: Uint8Array }
        | undefined;
      if (known !== undefined) {
        return { revoked_at: known.revoked_at, envelope_hash: toHash(known.hash) };
      }
      const { seq, envelope_hash } = log.append(record);
      sql.revoke.run(actor, reason, at, seq);
      return { revoked_at: at, envelope_hash };
    },

    revoked(): ReadonlyMap<string, { revoked_at: number; reason: string }> {
      const rows = sql.allRevoked.all() as unknown as RevokedRow[];
      return new Map(rows.map(({ actor, reason, revoked_at }) => [actor, { reason, revoked_at }]));
    },
  };
}
