import type { DatabaseSync } from "node:sqlite";
import type { ApprovalChange } from "../approvals/approval-store.ts";
import type { LogEntry } from "../store/store-rows.ts";
import { createApprovals } from "./approvals.ts";
import type { Connection } from "./connection.ts";
import type { GuardCalls } from "./guard-calls.ts";
import { createMetCalls } from "./met-calls.ts";
import { createRules } from "./rules.ts";

export type ApprovalTables = ReturnType<typeof createApprovalTables>;

/** Approvals, rules and calls met again, on an open database. */
export function createApprovalTables(
  database: DatabaseSync,
  calls: GuardCalls,
  { log, seal }: Connection,
) {
  const approvals = createApprovals(database);
  const rules = createRules(database);
  const revoked = database.prepare("SELECT 1 AS yes FROM revoked_actors WHERE actor = ?");
  return {
    approvals,
    rules,
    met: createMetCalls(database, calls),
    isRevoked: (actor: string): boolean => revoked.get(actor) !== undefined,

    /** Writes a decision with its records. Belongs inside a transaction. */
    change(id: string, { record, rule, ...how }: ApprovalChange): LogEntry {
      approvals.decide(id, { ...how, record });
      const entry = log.append(seal(record));
      if (rule !== undefined) {
        rules.add(rule.rule);
        log.append(seal(rule.record));
      }
      return entry;
    },
  };
}
