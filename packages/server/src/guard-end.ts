import { AgentKeysError } from "@agentkeys/contract";
import { claimedActor } from "./admission.ts";
import type { Caller } from "./auth.ts";
import type { Fields } from "./fields.ts";
import { missing, optionalText, requiredText } from "./fields.ts";
import { uuid } from "./guard-begin.ts";
import { failure, kind, success, toEnvelope } from "./records.ts";
import type { Services } from "./services.ts";
import type { GuardOutcome } from "./store.ts";

const outcomes: readonly string[] = [
  "ok",
  "error",
  "aborted",
  "not_run",
  "suspended",
] satisfies GuardOutcome[];

interface End {
  readonly begin_id: string;
  readonly actor: string;
  readonly outcome: GuardOutcome;
}

interface Ended {
  readonly ok: true;
  readonly envelope_hash: string;
}

/** Writes the outcome of a call that began. Also for an actor revoked in the meantime: what happened is recorded. */
export async function guardEnd(services: Services, caller: Caller, params: Fields): Promise<Ended> {
  const end = toEnd(services, caller, params);
  const begun = await findBegin(services, end);
  const { row, envelope_hash: intent } = begun;
  if (row.verdict !== "accept") {
    throw new AgentKeysError(
      "conflict",
      `begin_id ${end.begin_id} was refused: no outcome follows`,
    );
  }
  const failed = end.outcome === "error" || end.outcome === "aborted";
  const { tool, call_id } = row;
  const ended = await services.store.end(
    end,
    toEnvelope(services, {
      actor: end.actor,
      operator: row.operator_omni,
      op_kind: kind.tool_result,
      op_body: { tool, call_id, is_error: failed, outcome: end.outcome, intent },
      result: failed ? failure : success,
    }),
  );
  switch (ended.kind) {
    case "ended":
      return done(ended.entry.envelope_hash);
    case "repeated":
      return done(ended.envelope_hash);
    case "conflict":
      throw new AgentKeysError("conflict", `begin_id ${end.begin_id} ended with another outcome`);
    case "unknown":
      throw unknown(end);
  }
}

function done(envelope_hash: string): Ended {
  return { ok: true, envelope_hash };
}

/** A call that was given up may end before its begin arrives: that begin will be denied. */
async function findBegin(services: Services, end: End) {
  const { begin_id, actor } = end;
  const begun = await services.store.guardCall(begin_id, actor);
  if (begun !== undefined) return begun;
  // What can never begin need not be remembered.
  if (end.outcome !== "not_run" || !uuid.test(begin_id)) throw unknown(end);
  const came = await services.store.endBeforeBegin(begin_id, actor);
  const late = came === "begun" ? await services.store.guardCall(begin_id, actor) : undefined;
  if (late === undefined) throw unknown(end);
  return late;
}

function unknown({ begin_id }: End): AgentKeysError {
  return new AgentKeysError("not_found", `unknown begin_id: ${begin_id}`);
}

function toEnd(services: Services, caller: Caller, params: Fields): End {
  const omni =
    optionalText(params, "actor") ?? services.settings.defaults.actor ?? missing("actor");
  const begin_id = optionalText(params, "ticket") ?? requiredText(params, "begin_id", "ticket");
  const outcome = requiredText(params, "outcome");
  if (!isOutcome(outcome))
    throw new AgentKeysError("invalid_params", `unknown outcome \`${outcome}\``);
  const { id: actor } = claimedActor(services, caller, omni);
  return { begin_id: begin_id.toLowerCase(), actor, outcome };
}

function isOutcome(text: string): text is GuardOutcome {
  return outcomes.includes(text);
}
