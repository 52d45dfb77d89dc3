import { AgentKeysError, hex32Problem } from "@agentkeys/contract";
import { revocation } from "../approvals/decisions.ts";
import type { Route } from "../http/exchange.ts";
import { jsonReply } from "../http/exchange.ts";
import { fieldsOf, requiredText } from "../rpc/fields.ts";
import { jsonBody } from "../rpc/mcp-route.ts";
import { asOperator } from "./operator.ts";
import { kind, recordDenied, success, toEnvelope, unixNow } from "../audit/records.ts";
import type { Services } from "../services.ts";

/** `POST /v1/actors/:omni/revoke {reason}`. Holds from the actor's next call on; repeating it gives the first answer. */
export function revokeRoute(services: Services): Route {
  return async (exchange, parameter) => {
    const operator = await asOperator(services, exchange);
    const body = jsonBody(exchange);
    if ("reply" in body) return body.reply;
    const problem = hex32Problem("actor", parameter);
    if (problem !== undefined) throw new AgentKeysError("invalid_params", problem);
    const reason = requiredText(fieldsOf(body.value), "reason");
    const actor = parameter.toLowerCase();
    const { actors } = services.settings;
    if (actors !== undefined && actors.get(actor)?.operator !== operator.omni) {
      const what = `POST /v1/actors/${actor}/revoke`;
      const denied = {
        actor: operator.omni,
        operator: operator.omni,
        what,
        reason: "not_its_actor",
      };
      await recordDenied(services, denied);
      throw new AgentKeysError("forbidden", `not an actor of this operator: ${parameter}`);
    }
    const told = await revoke(services, { actor, reason, by: operator.omni });
    return jsonReply(200, JSON.stringify({ ok: true, actor, ...told }));
  };
}

/** From the moment that it is asked for: what is accepted before it is written before it. */
async function revoke(
  services: Services,
  { actor, reason, by }: { actor: string; reason: string; by: string },
): Promise<{ revoked_at: number; envelope_hash: string }> {
  const { store, revoked, asked } = services;
  const before = revoked.has(actor);
  revoked.add(actor);
  try {
    const told = await store.revokeActor(
      { actor, reason, at: unixNow(services) },
      toEnvelope(services, {
        actor: by,
        operator: by,
        op_kind: kind.scope_revoke,
        op_body: { agent_omni: actor, reason },
        result: success,
      }),
      revocation(services, by),
    );
    revoked.add(actor);
    asked.changed(actor, 0);
    return told;
  } catch (error) {
    if (!before) revoked.delete(actor);
    throw error;
  }
}
