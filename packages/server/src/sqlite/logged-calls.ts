import type { DatabaseSync } from "node:sqlite";
import { decodeEnvelope } from "@agentkeys/contract";
import type { GuardCallRow, GuardOutcome, LogEntry } from "../store/store-rows.ts";
import { callRuns } from "./log-runs.ts";
import { type Log, type Sealed, toHash } from "./log.ts";

/** A guarded call as its records tell it. */
export interface LoggedCall {
  readonly row: GuardCallRow;
  readonly envelope_hash: string;
  /** The latest. */
  readonly outcome: GuardOutcome | null;
  readonly outcome_hash: string | undefined;
}

/** Only an end has come so far. */
export interface NotedEnd {
  readonly noted_by: string;
}

interface Told {
  readonly begin_id: string;
  readonly call: string | null;
  readonly outcome: GuardOutcome | null;
  readonly hash: Uint8Array;
  readonly bytes: Uint8Array;
}

interface Indexed {
  readonly call: string | null;
  readonly hash: Uint8Array | null;
  readonly bytes: Uint8Array | null;
  readonly outcome: GuardOutcome | null;
  readonly outcome_hash: Uint8Array | null;
  readonly noted_by: string | null;
}

type Calls = Map<string, LoggedCall>;

/** Calls as the disk has them. */
function createReads(database: DatabaseSync) {
  const sql = {
    told: database.prepare(
      "SELECT begin_id, call, outcome, hash, bytes FROM log WHERE seq >= ? AND begin_id IS NOT NULL ORDER BY seq",
    ),
    indexed: database.prepare(`
      SELECT i.call, i.hash, i.bytes, o.outcome, o.hash AS outcome_hash, noted_by FROM calls
      LEFT JOIN log i ON i.seq = intent_seq LEFT JOIN log o ON o.seq = outcome_seq
      WHERE calls.begin_id = ?`),
  };
  const indexed = (begin_id: string): LoggedCall | NotedEnd | undefined => {
    const row = sql.indexed.get(begin_id) as unknown as Indexed | undefined;
    if (row === undefined) return undefined;
    const { call, hash, bytes, outcome, outcome_hash, noted_by } = row;
    if (call === null || hash === null || bytes === null) return { noted_by: noted_by ?? "" };
    const ended = outcome_hash === null ? undefined : toHash(outcome_hash);
    const known = begun(toRow({ begin_id, call, bytes }), toHash(hash));
    return { ...known, outcome, outcome_hash: ended };
  };

  /** The calls that have a record from `first` on. */
  const readFrom = (first: number): Calls => {
    const calls: Calls = new Map();
    for (const record of sql.told.all(first) as unknown as Told[]) {
      const { begin_id, call, outcome, hash } = record;
      if (call !== null) {
        calls.set(begin_id, begun(toRow({ ...record, call }), toHash(hash)));
        continue;
      }
      const known = calls.get(begin_id) ?? indexed(begin_id);
      if (known === undefined || "noted_by" in known) throw new Error(`no begin: ${begin_id}`);
      calls.set(begin_id, { ...known, outcome, outcome_hash: toHash(hash) });
    }
    return calls;
  };
  return { indexed, readFrom };
}

export type LoggedCalls = ReturnType<typeof createLoggedCalls>;

/**
 * Guarded calls by their begin id; writing methods belong inside a transaction. Those with a record in the run that is not indexed
 * yet are held in memory, read from the log at start and whenever a transaction was undone; so are those of the run before.
 */
export function createLoggedCalls(database: DatabaseSync, log: Log) {
  const { indexed, readFrom } = createReads(database);
  const sql = {
    note: database.prepare("INSERT INTO calls (begin_id, noted_by, noted_at) VALUES (?, ?, ?)"),
    forget: database.prepare("DELETE FROM calls WHERE noted_at < ?"),
  };
  let memory = { run: -1, undone: -1, recent: new Map() as Calls, before: new Map() as Calls };

  const recent = (): Calls => {
    const run = Math.floor(log.next() / callRuns.size);
    if (memory.undone !== log.undone) {
      memory = {
        run,
        undone: log.undone,
        recent: readFrom(run * callRuns.size),
        before: new Map(),
      };
    } else if (memory.run !== run) {
      memory = { ...memory, run, recent: new Map(), before: memory.recent };
    }
    return memory.recent;
  };

  return {
    find: (begin_id: string): LoggedCall | NotedEnd | undefined =>
      recent().get(begin_id) ?? memory.before.get(begin_id) ?? indexed(begin_id),

    begin(row: GuardCallRow, intent: Sealed): LogEntry {
      const { begin_id } = row;
      const calls = recent();
      const entry = log.append(intent, { begin_id, call: callText(row) });
      calls.set(begin_id, begun(row, entry.envelope_hash));
      return entry;
    },

    end(call: LoggedCall, outcome: GuardOutcome, record: Sealed): LogEntry {
      const { begin_id } = call.row;
      const calls = recent();
      const entry = log.append(record, { begin_id, outcome });
      calls.set(begin_id, { ...call, outcome, outcome_hash: entry.envelope_hash });
      return entry;
    },

    /** Remembers the end of a call that is not known. Times are unix ms. */
    note: (begin_id: string, actor: string, now: number): void =>
      void sql.note.run(begin_id, actor, now),
    forgetNoted: (before: number): void => void sql.forget.run(before),
  };
}

function begun(row: GuardCallRow, envelope_hash: string): LoggedCall {
  return { row, envelope_hash, outcome: null, outcome_hash: undefined };
}

/** What the intent does not say, or says in words of its own. */
type Call = Omit<GuardCallRow, "begin_id" | "actor" | "operator_omni">;

function callText(row: GuardCallRow): string {
  const { request_digest, tool, call_id, run_key, verdict, answer } = row;
  return JSON.stringify({ request_digest, tool, call_id, run_key, verdict, answer } satisfies Call);
}

function toRow(told: { begin_id: string; call: string; bytes: Uint8Array }): GuardCallRow {
  const call = JSON.parse(told.call) as Call;
  const { actor_omni: actor, operator_omni } = decodeEnvelope(told.bytes);
  const run_key = call.run_key ?? undefined;
  return { ...call, run_key, begin_id: told.begin_id, actor, operator_omni };
}
