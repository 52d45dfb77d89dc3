import { AgentKeysError, capOps, capPayloadJson, type WireValue } from "@agentkeys/contract";
import type { Actor } from "../access/admission.ts";
import { actingActor, hex32, operatorOf } from "../access/admission.ts";
import type { CapOp } from "../access/caps.ts";
import { toPayload } from "../access/caps.ts";
import { fieldsOf, requiredText } from "../rpc/fields.ts";
import { kind, notPermitted, success, toEnvelope, unixNow } from "../audit/records.ts";
import { backendError, scopeDenied } from "../access/refusals.ts";
import type { Services } from "../services.ts";
import { hasScope, ttlOf } from "./access.ts";
import type { Handler } from "./handler.ts";
import { ambientIn } from "./handler.ts";

export const mint: Handler = async (services, call) => {
  const omni = ambientIn(services, call, { key: "actor" });
  const op = opOf(requiredText(call.args, "op"));
  const params = fieldsOf(call.args["params"]);
  const inParams = { holder: params, label: "params.operator_omni" };
  const operator = ambientIn(services, call, { key: "operator_omni", ...inParams });
  const label = "params.device_key_hash";
  const device = ambientIn(services, call, { key: "device_key_hash", holder: params, label });
  const actor = actingActor(services, call.caller, omni);
  operatorOf(services, actor, operator);
  const { data_class } = capOps[op];
  const given = params["service"];
  const service = typeof given === "string" ? given : data_class;
  const ttl = ttlOf(call.args["ttl"]);
  const payload = toPayload(services, { op, actor, operator, service, device, ttl }, "");
  const allowed = mayMint(actor, op, payload.service);
  const envelope = toEnvelope(services, {
    actor: actor.id,
    operator: payload.operator_omni,
    op_kind: kind.cap_mint,
    op_body: allowed
      ? { op, service: payload.service, cap_id: payload.nonce, expires_at: payload.expires_at }
      : { op, service: payload.service },
    result: allowed ? success : notPermitted,
  });
  if (!allowed) {
    await services.store.append(envelope);
    throw scopeDenied("");
  }
  const { nonce, expires_at } = payload;
  const row = { nonce, actor: actor.id, expires_at, revoked_at: undefined };
  await services.store.putCap(row, services.surface === "v1" ? undefined : envelope);
  const cap: WireValue = { payload, broker_sig: services.keys.signCap(capPayloadJson(payload)) };
  return { ok: true, op, data_class, cap, ttl_seconds: ttl };
};

function opOf(op: string): CapOp {
  if (Object.hasOwn(capOps, op)) return op as CapOp;
  throw new AgentKeysError("invalid_params", `unknown op \`${op}\``);
}

const scopes: Partial<Record<CapOp, string>> = {
  memory_get: "memory.read",
  memory_put: "memory.write",
  cred_fetch: "cred.read",
  cred_store: "cred.write",
};

/** The other ops have no scope in a configuration file, so a configured actor cannot mint them. */
function mayMint(actor: Actor, op: CapOp, service: string): boolean {
  if (actor.settings === undefined) return true;
  const scope = scopes[op];
  if (scope === undefined || !hasScope(actor, scope)) return false;
  const { data_class } = capOps[op];
  if (service === data_class) return true;
  if (data_class === "credentials") return actor.settings.services.has(service);
  return (
    service.startsWith("memory:") && actor.settings.namespaces.has(service.slice("memory:".length))
  );
}

/** On the default surface only one's own; upstream asks no actor at all. */
export const revoke: Handler = async (services, { caller, args }) => {
  const cap_id = requiredText(args, "cap_id");
  const row = await services.store.cap(cap_id);
  const foreign =
    services.surface === "default" && !caller.local && row?.actor !== caller.actor.toLowerCase();
  const outcome =
    row === undefined || foreign
      ? "unknown"
      : await services.store.revokeCap(cap_id, unixNow(services), revocation(services, row));
  if (outcome === "unknown") {
    throw backendError("", 404, { text: `unknown cap_id: ${cap_id}`, code: "cap_unknown" });
  }
  const note =
    outcome === "revoked"
      ? `dev-mode revoke; cap_id=${cap_id} now denied for subsequent calls`
      : `dev-mode revoke; cap_id=${cap_id} was already revoked (idempotent)`;
  return { ok: true, revocation: "in_memory", note };
};

function revocation(services: Services, row: { nonce: string; actor: string }) {
  if (services.surface === "v1") return undefined;
  const { actors, defaults } = services.settings;
  const operator = actors?.get(row.actor)?.operator ?? defaults.operator_omni ?? row.actor;
  return toEnvelope(services, {
    actor: row.actor,
    operator: hex32.test(operator) ? operator.toLowerCase() : row.actor,
    op_kind: kind.cap_revoke,
    op_body: { cap_id: row.nonce },
    result: success,
  });
}
