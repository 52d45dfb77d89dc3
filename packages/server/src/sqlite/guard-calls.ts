import type { Begun, EndResult, GuardCallRow, GuardOutcome, Store } from "../store/store.ts";
import type { Sealed } from "./log.ts";
import type { LoggedCall, LoggedCalls, NotedEnd } from "./logged-calls.ts";

type BeginResult = Awaited<ReturnType<Store["begin"]>>;

/** How long an end that came before its begin is remembered, in milliseconds. */
const NOTED_FOR = 3_600_000;

export type GuardCalls = ReturnType<typeof createGuardCalls>;

/** What may be begun and ended: every writing method belongs inside a transaction. */
export function createGuardCalls(calls: LoggedCalls) {
  return {
    begin(row: GuardCallRow, intent: Sealed): BeginResult {
      const before = usedBefore(calls.find(row.begin_id), row);
      return before ?? { kind: "begun", entry: calls.begin(row, intent) };
    },

    /** What a begin is answered whose id was used before; undefined = it was not. */
    known: (call: Pick<GuardCallRow, "begin_id" | "actor" | "request_digest">) =>
      usedBefore(calls.find(call.begin_id), call),

    find(begin_id: string, actor: string): Begun | undefined {
      const known = calls.find(begin_id);
      return began(known, actor) ? toBegun(known) : undefined;
    },

    /** How the call ended, if it has; the latest outcome of one that was suspended. */
    outcome(begin_id: string): GuardOutcome | null {
      const known = calls.find(begin_id);
      return known === undefined || "noted_by" in known ? null : known.outcome;
    },

    end(
      end: { begin_id: string; actor: string; outcome: GuardOutcome },
      toRecord: (begun: Begun) => Sealed,
    ): EndResult {
      const { begin_id, actor, outcome } = end;
      const known = calls.find(begin_id);
      if (!began(known, actor)) return { kind: "unknown" };
      if (known.row.verdict !== "accept") return { kind: "refused" };
      if (known.outcome_hash !== undefined) {
        if (known.outcome === outcome)
          return { kind: "repeated", envelope_hash: known.outcome_hash };
        if (known.outcome !== "suspended") return { kind: "conflict" };
      }
      return { kind: "ended", entry: calls.end(known, outcome, toRecord(toBegun(known))) };
    },

    note(begin_id: string, actor: string, now: number): "noted" | "begun" {
      calls.forgetNoted(now - NOTED_FOR);
      const known = calls.find(begin_id);
      if (known === undefined) calls.note(begin_id, actor, now);
      return began(known, actor) ? "begun" : "noted";
    },
  };
}

function usedBefore(
  known: LoggedCall | NotedEnd | undefined,
  { actor, request_digest }: Pick<GuardCallRow, "actor" | "request_digest">,
): Exclude<BeginResult, { kind: "begun" }> | undefined {
  if (known === undefined) return undefined;
  if ("noted_by" in known) return { kind: known.noted_by === actor ? "ended_before" : "conflict" };
  const { row } = known;
  if (row.actor !== actor || row.request_digest !== request_digest) return { kind: "conflict" };
  return { kind: "repeated", ...toBegun(known) };
}

/** Whether the actor's begin was written, not only an end that came first. */
function began(known: LoggedCall | NotedEnd | undefined, actor: string): known is LoggedCall {
  return known !== undefined && !("noted_by" in known) && known.row.actor === actor;
}

function toBegun({ row, envelope_hash }: LoggedCall): Begun {
  return { row, envelope_hash };
}
