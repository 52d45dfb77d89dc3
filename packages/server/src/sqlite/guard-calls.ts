import type { DatabaseSync } from "node:sqlite";
import type { EndResult, GuardCallRow, GuardOutcome, Store } from "../store.ts";
import { type Log, type Sealed, toHash } from "./log.ts";

type BeginResult = Awaited<ReturnType<Store["begin"]>>;

/** How long an end that came before its begin is remembered, in milliseconds. */
const NOTED_FOR = 3_600_000;

type Column = Exclude<keyof GuardCallRow, "request_digest" | "run_key">;

interface Row extends Pick<GuardCallRow, Column> {
  /** null: only an end has come so far. */
  readonly request_digest: string | null;
  readonly run_key: string | null;
  readonly outcome: GuardOutcome | null;
  readonly intent_hash: Uint8Array;
}

const select = `
SELECT begin_id, actor, operator_omni, request_digest, tool, call_id, run_key, verdict, answer,
  outcome, log.hash AS intent_hash
FROM guard_calls LEFT JOIN log ON seq = intent_seq
WHERE begin_id = ?`;

/** `outcome` ends the call unless it has ended already; a suspended one is ended by anything else. */
const finish = `
UPDATE guard_calls SET outcome = ?, outcome_seq = ?
WHERE begin_id = ? AND actor = ? AND request_digest IS NOT NULL
  AND (outcome IS NULL OR (outcome = 'suspended' AND ? <> 'suspended'))`;

function statements(database: DatabaseSync) {
  return {
    select: database.prepare(select),
    insert: database.prepare(`
      INSERT INTO guard_calls
        (begin_id, actor, operator_omni, request_digest, tool, call_id, run_key, verdict, answer, intent_seq)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`),
    finish: database.prepare(finish),
    outcomeHash: database.prepare(
      "SELECT hash FROM guard_calls JOIN log ON seq = outcome_seq WHERE begin_id = ?",
    ),
    note: database.prepare(
      "INSERT INTO guard_calls (begin_id, actor, noted_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    ),
    forget: database.prepare("DELETE FROM guard_calls WHERE noted_at < ?"),
  };
}

/** Guarded calls: every writing method belongs inside a transaction. */
export function createGuardCalls(database: DatabaseSync, log: Log) {
  const sql = statements(database);
  const find = (id: string) => sql.select.get(id) as unknown as Row | undefined;

  return {
    begin(call: GuardCallRow, intent: Sealed): BeginResult {
      const { begin_id, actor, request_digest, tool, call_id, run_key = null } = call;
      const { operator_omni, verdict, answer } = call;
      const id = [begin_id, actor, operator_omni, request_digest, tool, call_id, run_key];
      if (sql.insert.run(...id, verdict, answer, log.next()).changes === 1) {
        return { kind: "begun", entry: log.append(intent) };
      }
      const known = find(begin_id);
      if (known?.actor !== actor) return { kind: "conflict" };
      if (known.request_digest === null) return { kind: "ended_before" };
      if (known.request_digest !== request_digest) return { kind: "conflict" };
      return { kind: "repeated", row: toCall(known), envelope_hash: toHash(known.intent_hash) };
    },

    find(begin_id: string, actor: string) {
      const known = find(begin_id);
      if (known?.actor !== actor || known.request_digest === null) return undefined;
      return { row: toCall(known), envelope_hash: toHash(known.intent_hash) };
    },

    end(
      end: { begin_id: string; actor: string; outcome: GuardOutcome },
      record: Sealed,
    ): EndResult {
      const { begin_id, actor, outcome } = end;
      if (sql.finish.run(outcome, log.next(), begin_id, actor, outcome).changes === 1) {
        return { kind: "ended", entry: log.append(record) };
      }
      const known = find(begin_id);
      if (known?.actor !== actor || known.request_digest === null) return { kind: "unknown" };
      if (known.outcome !== outcome) return { kind: "conflict" };
      const hash = sql.outcomeHash.get(begin_id)?.["hash"] as Uint8Array;
      return { kind: "repeated", envelope_hash: toHash(hash) };
    },

    note(begin_id: string, actor: string, now: number): "noted" | "begun" {
      sql.forget.run(now - NOTED_FOR);
      if (sql.note.run(begin_id, actor, now).changes === 1) return "noted";
      const known = find(begin_id);
      return known?.actor === actor && known.request_digest !== null ? "begun" : "noted";
    },
  };
}

function toCall(row: Row): GuardCallRow {
  const { begin_id, actor, operator_omni, tool, call_id, verdict, answer } = row;
  const request_digest = row.request_digest ?? "";
  const run_key = row.run_key ?? undefined;
  return {
    begin_id,
    actor,
    operator_omni,
    request_digest,
    tool,
    call_id,
    run_key,
    verdict,
    answer,
  };
}
