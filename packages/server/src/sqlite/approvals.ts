import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import type { ApprovalDecision } from "@agentkeys/contract";
import type {
  ApprovalChange,
  ApprovalFilter,
  ApprovalRow,
  NewApproval,
} from "../approvals/approval-store.ts";

/** Columns that hold a field of the row as it is. */
const plain = [
  "id",
  "kind",
  "actor",
  "operator_omni",
  "tool",
  "scope",
  "call_id",
  "input_digest",
  "begin_id",
  "text_digest",
  "digest",
  "policy_version",
  "reason",
  "explanation",
  "created_at",
  "expires_at",
  "shown",
  "status",
] as const satisfies readonly (keyof ApprovalRow)[];
const columns = [...plain, "call", "run_key", "input", "uncertain", "intent", "changed"];

type Stored = Pick<ApprovalRow, (typeof plain)[number] | "changed"> & {
  readonly call: Uint8Array | null;
  readonly run_key: string | null;
  readonly input: Uint8Array | null;
  readonly uncertain: number;
  readonly intent: string | null;
  readonly decided: string | null;
  readonly executed_by: string | null;
  readonly executed_at: number | null;
};

const next = "(SELECT coalesce(max(changed), 0) + 1 FROM approvals)";

function statements(database: DatabaseSync) {
  const values = columns.map((name) => (name === "changed" ? next : `:${name}`));
  return {
    insert: database.prepare(
      `INSERT INTO approvals (${columns.join(", ")}) VALUES (${values.join(", ")})`,
    ),
    find: database.prepare("SELECT * FROM approvals WHERE id = ?"),
    ofCall: database.prepare("SELECT * FROM approvals WHERE call = ? ORDER BY number DESC LIMIT 1"),
    decide: database.prepare(
      `UPDATE approvals SET status = ?, decided = ?, input = NULL, changed = ${next} WHERE id = ?`,
    ),
    use: database.prepare(
      `UPDATE approvals SET executed_by = ?, executed_at = ?, changed = ${next} WHERE id = ?`,
    ),
    executedBy: database.prepare("SELECT 1 AS yes FROM approvals WHERE executed_by = ?"),
    pending: database.prepare(
      "SELECT count(*) AS n FROM approvals WHERE status = 'pending' AND +expires_at > ? AND actor = ?",
    ),
    pendingOf: database.prepare("SELECT * FROM approvals WHERE status = 'pending' AND actor = ?"),
    overdue: database.prepare(
      "SELECT id FROM approvals WHERE status = 'pending' AND expires_at <= ? LIMIT ?",
    ),
    asked: database.prepare(
      "SELECT actor, max(expires_at) AS until FROM approvals WHERE expires_at > ? GROUP BY +actor",
    ),
    head: database.prepare("SELECT coalesce(max(changed), 0) AS head FROM approvals"),
  };
}

/** Questions and decisions; writing methods belong inside a transaction. */
export function createApprovals(database: DatabaseSync) {
  const sql = statements(database);
  const list = preparedLists(database);
  const find = (id: string) => toRow(sql.find.get(id));
  return {
    find,
    ofCall: (call: Uint8Array) => toRow(sql.ofCall.get(call)),
    pending: (actor: string, now: number) => Number(sql.pending.get(now, actor)?.["n"]),
    pendingOf: (actor: string) => sql.pendingOf.all(actor).map(toKnownRow),
    overdue: (now: number, limit: number) =>
      sql.overdue.all(now, limit).map((row) => String(row["id"])),
    wasExecutedBy: (begin_id: string) => sql.executedBy.get(begin_id) !== undefined,

    open(approval: NewApproval, intent: string): void {
      const fields = Object.fromEntries(plain.map((name) => [name, approval[name]]));
      const { call = null, run_key = null, input = null, uncertain } = approval;
      sql.insert.run({ ...fields, call, run_key, input, uncertain: uncertain ? 1 : 0, intent });
    },

    decide(id: string, { status, decided }: ApprovalChange): void {
      sql.decide.run(status, JSON.stringify(decided), id);
    },

    use(id: string, begin_id: string, at: number): void {
      sql.use.run(begin_id, at, id);
    },

    list(filter: ApprovalFilter, page: { after?: string | undefined; limit?: number }) {
      const { after, limit = 100 } = page;
      const from = after === undefined ? 0 : "(SELECT number FROM approvals WHERE id = :after)";
      // The fields of one index; without the others' plus sign SQLite might walk along those instead.
      const { call_id, run_key, actor } = filter;
      const own = actor === undefined ? ["operator_omni", "status"] : ["actor", "status"];
      const run = run_key === undefined ? own : ["run_key", "actor"];
      const by = call_id === undefined ? run : ["call_id", "actor"];
      const where = { clause: `number > ${from}`, order: "number", by };
      const values = after === undefined ? { limit } : { limit, after };
      return list(filter, where, values);
    },

    changes(changed: number, filter: ApprovalFilter, limit: number) {
      const { status, ...rest } = filter;
      const waiting = status === "pending" ? " AND status = 'pending'" : "";
      const by = waiting === "" ? ["actor"] : [];
      const where = { clause: `changed > :changed${waiting}`, order: "changed", by };
      const head = Number(sql.head.get()?.["head"]);
      return { rows: list(waiting === "" ? filter : rest, where, { changed, limit }), head };
    },

    asked(now: number): ReadonlyMap<string, number> {
      return new Map(sql.asked.all(now).map((row) => [String(row["actor"]), Number(row["until"])]));
    },
  };
}

/** One statement for each set of fields that is asked for. */
function preparedLists(database: DatabaseSync) {
  const known = new Map<string, StatementSync>();
  return (
    filter: ApprovalFilter,
    where: { clause: string; order: string; by: readonly string[] },
    values: Record<string, SQLInputValue>,
  ): ApprovalRow[] => {
    const asked = Object.entries(filter).filter(([, value]) => value !== undefined) as [
      string,
      string,
    ][];
    const equal = asked.map(([name]) => `${where.by.includes(name) ? "" : "+"}${name} = :${name}`);
    const clauses = [where.clause, ...equal];
    const text = `SELECT * FROM approvals WHERE ${clauses.join(" AND ")} ORDER BY ${where.order} LIMIT :limit`;
    const statement = known.get(text) ?? database.prepare(text);
    known.set(text, statement);
    return statement.all({ ...values, ...Object.fromEntries(asked) }).map(toKnownRow);
  };
}

function toRow(stored: Record<string, unknown> | undefined): ApprovalRow | undefined {
  return stored === undefined ? undefined : toKnownRow(stored);
}

function toKnownRow(stored: Record<string, unknown>): ApprovalRow {
  const row = stored as unknown as Stored;
  const { call, run_key, input, intent, decided, executed_by, executed_at } = row;
  return {
    ...row,
    call: call ?? undefined,
    run_key: run_key ?? undefined,
    input: input ?? undefined,
    intent: intent ?? undefined,
    uncertain: row.uncertain === 1,
    decided: decided === null ? undefined : (JSON.parse(decided) as ApprovalDecision),
    executed:
      executed_by === null || executed_at === null
        ? undefined
        : { begin_id: executed_by, at: executed_at },
  };
}
