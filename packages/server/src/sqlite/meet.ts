import type {
  ApprovalRow,
  Attempt,
  CallPlan,
  KnownCall,
  MetResult,
  StoredResult,
} from "../approvals/approval-store.ts";
import { runKeyOf } from "../approvals/call-key.ts";
import type { LogEntry } from "../store/store-rows.ts";
import type { ApprovalTables } from "./approval-tables.ts";
import type { Connection } from "./connection.ts";
import type { GuardCalls } from "./guard-calls.ts";

type MetBefore = Exclude<MetResult<CallPlan>, { kind: "planned" }>;

/** Begins that look at what is known of their call. Both methods belong inside a transaction. */
export function createMeet(tables: ApprovalTables, calls: GuardCalls, { seal }: Connection) {
  const { approvals, met, change } = tables;
  const carryOut = (
    attempt: Attempt,
    call: Uint8Array,
    { write, expires }: CallPlan,
  ): LogEntry | MetBefore | undefined => {
    // A plan that writes no call, or something before it, needs to know first whether the attempt was answered.
    const before = write === undefined || expires !== undefined ? calls.known(attempt) : undefined;
    if (before !== undefined) return before;
    if (expires !== undefined) change(expires.id, expires.change);
    if (write === undefined) return undefined;
    const begun = calls.begin(write.row, seal(write.intent));
    if (begun.kind !== "begun") return begun;
    const { begin_id, now } = attempt;
    if (write.opens !== undefined) approvals.open(write.opens, begun.entry.envelope_hash);
    if (write.uses !== undefined) approvals.use(write.uses, begin_id, now);
    if (write.remembered === true) met.remember(call, begin_id);
    return begun.entry;
  };

  return {
    meet<P extends CallPlan>(attempt: Attempt, plan: (known: KnownCall) => P): MetResult<P> {
      const { grant, binds } = attempt;
      const found = grant === undefined ? undefined : approvals.find(grant);
      const named = found !== undefined && binds(found) ? found : undefined;
      const call = named?.call ?? attempt.call;
      const made = plan(knownCall(tables, { ...attempt, call }, named));
      const done = carryOut(attempt, call, made);
      if (done !== undefined && "kind" in done) return done;
      return { kind: "planned", plan: made, entry: done };
    },

    /** Keeps the result of a call that may be met again, once. */
    keep({ begin_id, actor }: { begin_id: string; actor: string }, result: StoredResult): void {
      const run_key = calls.find(begin_id, actor)?.row.run_key;
      if (run_key === undefined && !approvals.wasExecutedBy(begin_id)) return;
      met.keep({ begin_id, run: runKeyOf(actor, run_key), ...result });
    },
  };
}

function knownCall(
  { approvals, met, rules, isRevoked }: ApprovalTables,
  { actor, tool, now, call }: Attempt,
  named: ApprovalRow | undefined,
): KnownCall {
  return {
    get approval() {
      return named ?? approvals.ofCall(call);
    },
    get earlier() {
      return met.find(call, now);
    },
    get rules() {
      return rules.inForce(actor, tool, now);
    },
    get pending() {
      return approvals.pending(actor, now);
    },
    get revoked() {
      return isRevoked(actor);
    },
  };
}
