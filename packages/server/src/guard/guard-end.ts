import { AgentKeysError, stringifyJson, type WireValue } from "@agentkeys/contract";
import { claimedActor } from "../access/admission.ts";
import type { Caller } from "../access/auth.ts";
import type { Fields } from "../rpc/fields.ts";
import { missing, optionalText, requiredText } from "../rpc/fields.ts";
import { uuid } from "./begin-request.ts";
import { failure, kind, success, toEnvelope, unixNow } from "../audit/records.ts";
import type { Services } from "../services.ts";
import { KEPT_LIMIT } from "../approvals/approval.ts";
import type { StoredResult } from "../approvals/approval-store.ts";
import type { Begun, EndResult, GuardOutcome } from "../store/store.ts";

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
  readonly result?: StoredResult | undefined;
}

interface Ended {
  readonly ok: true;
  readonly envelope_hash: string;
}

/** Writes the outcome of a call that began. Also for an actor revoked in the meantime: what happened is recorded. */
export async function guardEnd(services: Services, caller: Caller, params: Fields): Promise<Ended> {
  const told = toEnd(services, caller, params);
  const { begin_id } = told;
  const result = params["result"];
  const end = result === undefined ? told : await withResult(services, told, result);
  const ended = await write(services, end);
  switch (ended.kind) {
    case "ended":
      return done(ended.entry.envelope_hash);
    case "repeated":
      return done(ended.envelope_hash);
    case "refused":
      throw conflict(`begin_id ${begin_id} was refused: no outcome follows`);
    case "conflict":
      throw conflict(`begin_id ${begin_id} ended with another outcome`);
    case "unknown":
      throw new AgentKeysError("not_found", `unknown begin_id: ${begin_id}`);
  }
}

/** Seconds that a result is kept. */
const KEPT_FOR = 86_400;

/** What is too long is not kept; a call that did not come to its end has no result. */
async function withResult(services: Services, end: End, result: WireValue): Promise<End> {
  const text = stringifyJson(result);
  const ran = end.outcome !== "suspended" && end.outcome !== "not_run";
  if (!ran || Buffer.byteLength(text) > KEPT_LIMIT) return end;
  const { begin_id, actor } = end;
  const sealed = await services.vault.seal(text, { owner: actor, kind: "result", name: begin_id });
  return { ...end, result: { sealed, kept_until: unixNow(services) + KEPT_FOR } };
}

function done(envelope_hash: string): Ended {
  return { ok: true, envelope_hash };
}

/** A call that was given up may end before its begin arrives: that begin will be denied. */
async function write(services: Services, end: End): Promise<EndResult> {
  const { store } = services;
  const toOutcome = (begun: Begun) => outcomeOf(services, end, begun);
  const ended = await store.end(end, toOutcome);
  // What can never begin need not be remembered.
  const early = ended.kind === "unknown" && end.outcome === "not_run" && uuid.test(end.begin_id);
  if (!early) return ended;
  const came = await store.endBeforeBegin(end.begin_id, end.actor);
  return came === "begun" ? store.end(end, toOutcome) : ended;
}

function outcomeOf(services: Services, end: End, { row, envelope_hash: intent }: Begun) {
  const { actor, outcome } = end;
  const { tool, call_id, operator_omni: operator } = row;
  const is_error = outcome === "error" || outcome === "aborted";
  return toEnvelope(services, {
    actor,
    operator,
    op_kind: kind.tool_result,
    op_body: { tool, call_id, is_error, outcome, intent },
    result: is_error ? failure : success,
  });
}

function conflict(message: string): AgentKeysError {
  return new AgentKeysError("conflict", message);
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
