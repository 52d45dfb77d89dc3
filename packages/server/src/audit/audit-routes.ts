import { AgentKeysError, type AuditEnvelope, decodeEnvelope } from "@agentkeys/contract";
import { knownActor, operatorOf, refuseRevoked } from "../access/admission.ts";
import { toAppend } from "./audit-append.ts";
import { auditSource } from "./audit-stream.ts";
import type { Caller } from "../access/auth.ts";
import { authenticate } from "../access/authenticate.ts";
import { cursorOf, feedReply } from "./event-feed.ts";
import type { Route } from "../http/exchange.ts";
import { jsonReply } from "../http/exchange.ts";
import { jsonBody } from "../rpc/mcp-route.ts";
import { refuseReserved } from "../operations/audit.ts";
import { asOperator, horizon } from "../access/operator.ts";
import type { Services } from "../services.ts";

/** `POST /v1/audit/append/v2`: open on v1, as upstream's; else with the vendor's bearer, and an actor writes its own rows only. */
export function appendRoute(services: Services): Route {
  return async (exchange) => {
    const caller = services.surface === "v1" ? undefined : authenticate(services, exchange);
    const body = jsonBody(exchange);
    if ("reply" in body) return body.reply;
    const envelope = toAppend(services, body.value);
    if ("status" in envelope) return envelope;
    if (caller !== undefined) refuseForeign(services, caller, envelope);
    const { envelope_hash } = await services.store.append(envelope);
    return jsonReply(200, JSON.stringify({ ok: true, envelope_hash }));
  };
}

function refuseForeign(services: Services, caller: Caller, envelope: AuditEnvelope): void {
  const omni = prefixed(envelope.actor_omni);
  if (prefixed(caller.actor) !== omni) {
    const message = `actor mismatch: header=${caller.actor}, param=${envelope.actor_omni}`;
    throw new AgentKeysError("actor_mismatch", message);
  }
  const actor = knownActor(services, caller, omni);
  refuseRevoked(services, actor);
  operatorOf(services, actor, prefixed(envelope.operator_omni));
  refuseReserved(envelope.op_kind);
}

function prefixed(hex: string): string {
  const lower = hex.toLowerCase();
  return lower.startsWith("0x") ? lower : `0x${lower}`;
}

/** `GET /v1/audit/envelope/:hash`: the canonical bytes. On the default surface for the operator whose record it is. */
export function envelopeRoute(services: Services): Route {
  return async (exchange, hash) => {
    const operator = services.surface === "v1" ? undefined : await asOperator(services, exchange);
    const bytes = await services.store.envelope(hash);
    const only = operator && horizon(services, operator);
    if (
      bytes === undefined ||
      (only !== undefined && decodeEnvelope(bytes).operator_omni !== only)
    ) {
      const message = `no envelope at ${hash}`;
      return jsonReply(404, JSON.stringify({ error: "envelope_not_found", message }));
    }
    return { status: 200, type: "application/cbor", body: bytes };
  };
}

/** `GET /v1/audit/stream`: server-sent events, after `Last-Event-ID` or `?after=`, else from the next record on. */
export function streamRoute(services: Services): Route {
  return async (exchange) => {
    const operator = await asOperator(services, exchange);
    const after = cursorOf(exchange);
    const source = auditSource(services.store, { after, operator: horizon(services, operator) });
    return feedReply(services, source);
  };
}
