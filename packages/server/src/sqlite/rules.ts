import type { DatabaseSync } from "node:sqlite";
import type { ApprovalRule } from "@agentkeys/contract";

/** Remembered decisions; `add` and `revoke` belong inside a transaction. */
export function createRules(database: DatabaseSync) {
  const sql = {
    insert: database.prepare(`
      INSERT INTO approval_rules (id, actor, tool, operator_omni, expires_at, rule)
      VALUES (?, ?, ?, ?, ?, ?)`),
    find: database.prepare("SELECT rule, revoked_at FROM approval_rules WHERE id = ?"),
    inForce: database.prepare(`
      SELECT rule, revoked_at FROM approval_rules
      WHERE actor = ? AND tool = ? AND expires_at > ? AND revoked_at IS NULL ORDER BY number`),
    list: database.prepare(`
      SELECT rule, revoked_at FROM approval_rules WHERE :operator_omni IS NULL OR operator_omni = :operator_omni
      ORDER BY number`),
    revoke: database.prepare("UPDATE approval_rules SET revoked_at = ? WHERE id = ?"),
  };
  const find = (id: string): ApprovalRule | undefined => {
    const row = sql.find.get(id);
    return row === undefined ? undefined : toRule(row);
  };
  return {
    find,

    add(rule: ApprovalRule): void {
      const { id, actor, tool, operator_omni, expires_at } = rule;
      sql.insert.run(id, actor, tool, operator_omni, expires_at, JSON.stringify(rule));
    },

    inForce: (actor: string, tool: string, now: number): ApprovalRule[] =>
      sql.inForce.all(actor, tool, now).map(toRule),

    list: (operator_omni: string | undefined): ApprovalRule[] =>
      sql.list.all({ operator_omni: operator_omni ?? null }).map(toRule),

    /** False: it was revoked before. */
    revoke(id: string, at: number): boolean {
      if (find(id)?.revoked_at !== undefined) return false;
      return sql.revoke.run(at, id).changes === 1;
    },
  };
}

function toRule({ rule, revoked_at }: Record<string, unknown>): ApprovalRule {
  const stored = JSON.parse(String(rule)) as ApprovalRule;
  return revoked_at === null ? stored : { ...stored, revoked_at: Number(revoked_at) };
}
