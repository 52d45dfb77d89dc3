import type { DatabaseSync } from "node:sqlite";
import type { Begun, EndResult, GuardCallRow, GuardOutcome, Store } from "../store.ts";
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

function statements(database: DatabaseSync) {
  return {
    select: database.prepare(select),
    insert: database.prepare(`
      INSERT INTO guard_calls
        (begin_id, actor, operator_omni, request_digest, tool, call_id, run_key, verdict, answer, intent_seq)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`),
    finish: database.prepare(
      "UPDATE guard_calls SET outcome = ?, outcome_seq = ? WHERE begin_id = ?",
    ),
    outcomeHash: database.prepare(
      "SELECT hash FROM guard_calls JOIN log ON seq = outcome_seq WHERE begin_id = ?",
    ),
    note: database.prepare(
      "INSERT INTO guard_calls (begin_id, actor, noted_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    ),
    forget: database.prepare("DELETE FROM guard_calls WHERE noted_at < ?"),
  };
}

export type GuardCalls = ReturnType<typeof createGuardCalls>;

/** Guarded calls: every writing method belongs inside a transaction. */
export function createGuardCalls(database: DatabaseSync, log: Log) {
  const sql = statements(database);
  const find = (id: string) => sql.select.get(id) as unknown as Row | undefined;

  return {
    begin(call: GuardCallRow, intent: Sealed): BeginResult {
      const { begin_id, actor, operator_omni, request_digest, tool, call_id, run_key } = call;
      const { changes } = sql.insert.run(
        begin_id,
        actor,
        operator_omni,
        request_digest,
        tool,
        call_id,
        run_key ?? null,
        call.verdict,
        call.answer,
        log.next(),
      );
      if (changes === 1) {
        return { kind: "begun", entry: log.append(intent) };
      }
      return usedBefore(find(begin_id), call) ?? { kind: "conflict" };
    },

    /** What a begin is answered whose id was used before; undefined = it was not. */
    known: (call: Pick<GuardCallRow, "begin_id" | "actor" | "request_digest">) =>
      usedBefore(find(call.begin_id), call),

    find(begin_id: string, actor: string): Begun | undefined {
      const known = find(begin_id);
      return began(known, actor) ? toBegun(known) : undefined;
    },

    end(
      end: { begin_id: string; actor: string; outcome: GuardOutcome },
      toRecord: (begun: Begun) => Sealed,
    ): EndResult {
      const { begin_id, actor, outcome } = end;
      const known = find(begin_id);
      if (!began(known, actor)) return { kind: "unknown" };
      if (known.verdict !== "accept") return { kind: "refused" };
      if (known.outcome === outcome) {
        const hash = sql.outcomeHash.get(begin_id)?.["hash"] as Uint8Array;
        return { kind: "repeated", envelope_hash: toHash(hash) };
      }
      if (known.outcome !== null && known.outcome !== "suspended") return { kind: "conflict" };
      sql.finish.run(outcome, log.next(), begin_id);
      return { kind: "ended", entry: log.append(toRecord(toBegun(known))) };
    },

    note(begin_id: string, actor: string, now: number): "noted" | "begun" {
      sql.forget.run(now - NOTED_FOR);
      if (sql.note.run(begin_id, actor, now).changes === 1) return "noted";
      return began(find(begin_id), actor) ? "begun" : "noted";
    },
  };
}

function usedBefore(
  row: Row | undefined,
  call: Pick<GuardCallRow, "actor" | "request_digest">,
): Exclude<BeginResult, { kind: "begun" }> | undefined {
  if (row === undefined) return undefined;
  if (row.actor !== call.actor) return { kind: "conflict" };
  if (row.request_digest === null) return { kind: "ended_before" };
  if (row.request_digest !== call.request_digest) return { kind: "conflict" };
  return { kind: "repeated", ...toBegun(row) };
}

/** Whether the actor's begin was written, not only an end that came first. */
function began(row: Row | undefined, actor: string): row is Row {
  return row?.actor === actor && row.request_digest !== null;
}

function toBegun(known: Row): Begun {
  const { outcome: _, intent_hash, ...row } = known;
  const request_digest = row.request_digest ?? "";
  const run_key = row.run_key ?? undefined;
  return { row: { ...row, request_digest, run_key }, envelope_hash: toHash(intent_hash) };
}
