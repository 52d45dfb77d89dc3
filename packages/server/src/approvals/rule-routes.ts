import { AgentKeysError } from "@agentkeys/contract";
import type { Route } from "../http/exchange.ts";
import { jsonReply } from "../http/exchange.ts";
import { fieldsOf, requiredText } from "../rpc/fields.ts";
import { jsonBody } from "../rpc/mcp-route.ts";
import { asOperator, horizon } from "../access/operator.ts";
import { recordDenied, unixNow } from "../audit/records.ts";
import type { Services } from "../services.ts";
import { approvalRecord } from "./decisions.ts";

/** `GET /v1/rules`: the remembered decisions that hold. */
export function rulesRoute(services: Services): Route {
  return async (exchange) => {
    const operator = await asOperator(services, exchange);
    const now = unixNow(services);
    const all = await services.store.rules(horizon(services, operator));
    const rules = all.filter((rule) => rule.revoked_at === undefined && rule.expires_at > now);
    return jsonReply(200, JSON.stringify({ rules }));
  };
}

/** `POST /v1/rules/:id/revoke {reason}`. Repeating it gives the first answer, without a record of its own. */
export function revokeRuleRoute(services: Services): Route {
  return async (exchange, id) => {
    const operator = await asOperator(services, exchange);
    const body = jsonBody(exchange);
    if ("reply" in body) return body.reply;
    const reason = requiredText(fieldsOf(body.value), "reason");
    const rule = await services.store.rule(id);
    if (rule === undefined) throw new AgentKeysError("not_found", `unknown rule: ${id}`);
    const only = horizon(services, operator);
    if (only !== undefined && rule.operator_omni !== only) {
      const denied = { actor: operator.omni, operator: operator.omni, reason: "not_its_actor" };
      await recordDenied(services, { ...denied, what: `POST /v1/rules/${id}/revoke` });
      throw new AgentKeysError("forbidden", `not a rule of this operator: ${id}`);
    }
    const about = { ...rule, id: rule.approval };
    const told = { outcome: "rule_revoked", approver: operator.omni, rule: id, reason } as const;
    const record = approvalRecord(services, about, told);
    const revoked = await services.store.revokeRule(id, unixNow(services), record);
    return jsonReply(
      200,
      JSON.stringify({
        ok: true,
        rule: revoked?.rule,
        envelope_hash: revoked?.entry?.envelope_hash ?? null,
      }),
    );
  };
}
