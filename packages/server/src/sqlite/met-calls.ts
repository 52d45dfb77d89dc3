import type { DatabaseSync } from "node:sqlite";
import type { KnownCall } from "../approvals/approval-store.ts";
import type { GuardCalls } from "./guard-calls.ts";

/** Calls that may be met again, and their results; writing methods belong inside a transaction. */
export function createMetCalls(database: DatabaseSync, calls: GuardCalls) {
  const sql = {
    find: database.prepare(`
      SELECT m.begin_id, r.sealed FROM met_calls m
      LEFT JOIN call_results r ON r.begin_id = m.begin_id AND r.kept_until > ?
      WHERE m.call = ?`),
    remember: database.prepare(`
      INSERT INTO met_calls (call, begin_id) VALUES (?, ?)
      ON CONFLICT DO UPDATE SET begin_id = excluded.begin_id`),
    keep: database.prepare(`
      INSERT INTO call_results (begin_id, run, sealed, kept_until) VALUES (?, ?, ?, ?)
      ON CONFLICT DO NOTHING`),
    forget: database.prepare("DELETE FROM call_results WHERE run = ?"),
    hasOld: database.prepare("SELECT 1 AS yes FROM call_results WHERE kept_until <= ? LIMIT 1"),
    forgetOld: database.prepare("DELETE FROM call_results WHERE kept_until <= ?"),
  };
  return {
    find(call: Uint8Array, now: number): KnownCall["earlier"] {
      const row = sql.find.get(now, call);
      if (row === undefined) return undefined;
      const begin_id = String(row["begin_id"]);
      const result = (row["sealed"] ?? undefined) as Uint8Array | undefined;
      return { begin_id, outcome: calls.outcome(begin_id), result };
    },

    remember(call: Uint8Array, begin_id: string): void {
      sql.remember.run(call, begin_id);
    },

    keep(result: { begin_id: string; run: Uint8Array; sealed: Uint8Array; kept_until: number }) {
      const { begin_id, run, sealed, kept_until } = result;
      sql.keep.run(begin_id, run, sealed, kept_until);
    },

    forget: (run: Uint8Array): number => Number(sql.forget.run(run).changes),
    hasOld: (now: number): boolean => sql.hasOld.get(now) !== undefined,
    forgetOld: (now: number): void => void sql.forgetOld.run(now),
  };
}
