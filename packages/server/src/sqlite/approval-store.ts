import type { ApprovalStore } from "../approvals/approval-store.ts";
import type { ApprovalTables } from "./approval-tables.ts";
import type { Connection } from "./connection.ts";
import type { createMeet } from "./meet.ts";

type Meet = ReturnType<typeof createMeet>;

/** The port's methods over the tables. */
export function createApprovalStore(
  { log, seal, write, read }: Connection,
  tables: ApprovalTables,
  meet: Meet["meet"],
): ApprovalStore {
  const { approvals, rules, met, change } = tables;
  return {
    meet: (attempt, plan) => write(() => meet(attempt, plan), attempt.size),
    approval: (id) => read(() => approvals.find(id)),
    approvals: (filter, page = {}) => read(() => approvals.list(filter, page)),
    approvalChanges: (changed, filter, limit) =>
      read(() => approvals.changes(changed, filter, limit)),
    openApproval: (approval, record) =>
      write(() => {
        const { envelope_hash } = log.append(seal(record));
        approvals.open(approval, envelope_hash);
        return approvals.find(approval.id) as NonNullable<ReturnType<typeof approvals.find>>;
      }),
    changeApproval: (id, plan) =>
      write(() => {
        const approval = approvals.find(id);
        if (approval === undefined) return undefined;
        const planned = plan(approval);
        if (planned === undefined) return { approval, entry: undefined };
        const entry = change(id, planned);
        return { approval: approvals.find(id) ?? approval, entry };
      }),
    overdueApprovals: (now, limit) => read(() => approvals.overdue(now, limit)),
    askedActors: (now) => read(() => approvals.asked(now)),
    rules: (operator_omni) => read(() => rules.list(operator_omni)),
    rule: (id) => read(() => rules.find(id)),
    revokeRule: (id, at, record) =>
      write(() => {
        if (rules.find(id) === undefined) return undefined;
        const entry = rules.revoke(id, at) ? log.append(seal(record)) : undefined;
        const rule = rules.find(id);
        return rule === undefined ? undefined : { rule, entry };
      }),
    forgetResults: (run) => write(() => met.forget(run)),
    forgetOldResults: async (now) => {
      if (await read(() => met.hasOld(now))) await write(() => met.forgetOld(now));
    },
  };
}
