import { hash } from "node:crypto";
import { stringifyJson } from "@agentkeys/contract";
import { meetCall } from "../approvals/meet-call.ts";
import type { Caller } from "../access/auth.ts";
import {
  type Answer,
  answeredBefore,
  type Begun,
  endedBefore,
  intentOf,
  usedBefore,
} from "./begin-answer.ts";
import { type BeginRequest, toBeginRequest } from "./begin-request.ts";
import type { Fields } from "../rpc/fields.ts";
import { decide } from "../operations/permission.ts";
import type { Services } from "../services.ts";
import type { GuardCallRow } from "../store/store.ts";

/** Decides and writes the intent in one step; answers only when the intent is durable. */
export async function guardBegin(
  services: Services,
  caller: Caller,
  params: Fields,
): Promise<Begun> {
  const begin = toBeginRequest(services, caller, params);
  const answer = answerTo(services, begin);
  const request_digest = hash("sha256", stringifyJson(params), "base64url");
  const toRow = (given: Answer) => rowOf(begin, request_digest, given);
  if (answer.verdict !== "deny" && mayBeKnown(services, begin, answer)) {
    const { verdict } = answer;
    return meetCall(services, begin, { answer: { ...answer, verdict }, request_digest, toRow });
  }
  const written = await services.store.begin(toRow(answer), intentOf(services, begin, answer));
  switch (written.kind) {
    case "begun":
      return {
        ...answer,
        ticket: begin.begin_id,
        envelope_hash: written.entry.envelope_hash,
      };
    case "repeated":
      return answeredBefore(services, begin, written);
    case "conflict":
      throw usedBefore(begin);
    case "ended_before":
      return endedBefore(begin);
  }
}

/** Whether a look at what is known of the call could change the answer. Most calls need none. */
function mayBeKnown(services: Services, begin: BeginRequest, { verdict }: Answer): boolean {
  const { run_key, call_id, begin_id, grant, actor } = begin;
  if (verdict === "ask_parent" || grant !== undefined) return true;
  if (begin.input_digest === null || begin.refused !== undefined) return false;
  if (run_key !== undefined && call_id !== begin_id) return true;
  return services.asked.mustLookUp(actor.id);
}

function rowOf(begin: BeginRequest, request_digest: string, answer: Answer): GuardCallRow {
  const { begin_id, tool, call_id, run_key } = begin;
  return {
    begin_id,
    actor: begin.actor.id,
    operator_omni: begin.operator,
    request_digest,
    tool,
    call_id,
    run_key,
    verdict: answer.verdict,
    answer,
  };
}

function answerTo(services: Services, begin: BeginRequest): Answer {
  const { actor, tool, scope, params, refused, uncertain } = begin;
  if (refused !== undefined) {
    services.metrics.decided("deny");
    return { verdict: "deny", scope, ...refused };
  }
  const revoked = services.revoked.has(actor.id);
  if (scope !== null || revoked) {
    const decision = { ...decide(services, actor, { scope: scope ?? "", params }), scope };
    // The policy's deny stands whether or not the client is sure.
    if (uncertain === undefined || decision.verdict === "deny") return decision;
    return { ...decision, verdict: "ask_parent", ...uncertain };
  }
  const verdict = uncertain === undefined ? "accept" : "ask_parent";
  services.metrics.decided(verdict);
  if (uncertain !== undefined) return { verdict, scope, ...uncertain };
  const explanation = `${tool} needs no scope`;
  return { verdict, scope, reason: "no_scope_needed", explanation };
}
