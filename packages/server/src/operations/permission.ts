import { encodeCanonical } from "@agentkeys/contract";
import type { Actor } from "../access/admission.ts";
import { claimedActor, operatorOf, requireHex32 } from "../access/admission.ts";
import type { Fields } from "../rpc/fields.ts";
import { fieldsOf, requiredText } from "../rpc/fields.ts";
import type { Decision } from "../access/policy.ts";
import { digestOf, kind, notPermitted, success, toEnvelope } from "../audit/records.ts";
import type { Services } from "../services.ts";
import type { Handler } from "./handler.ts";
import { ambientIn } from "./handler.ts";

export const check: Handler = async (services, call) => {
  const omni = ambientIn(services, call, { key: "actor" });
  const scope = requiredText(call.args, "scope");
  const actor = claimedActor(services, call.caller, omni);
  const params = fieldsOf(call.args["params"]);
  const decision = decide(services, actor, { scope, params });
  if (services.surface === "default") await recordCheck(services, { actor, decision, params });
  return { ...decision };
};

/** A revoked actor is denied whatever the policy says. Counted, never recorded here. */
export function decide(
  services: Services,
  actor: Actor,
  question: { scope: string; params: Fields },
): Decision {
  const decision: Decision = services.revoked.has(actor.id)
    ? {
        verdict: "deny",
        scope: question.scope,
        reason: "actor_revoked",
        explanation: `actor revoked: ${actor.omni}`,
      }
    : services.policy({ actor: actor.id, ...question });
  services.metrics.decided(decision.verdict);
  return decision;
}

async function recordCheck(
  services: Services,
  { actor, decision, params }: { actor: Actor; decision: Decision; params: Fields },
): Promise<void> {
  const operator = operatorOf(services, actor, undefined);
  requireHex32("actor_omni", actor.omni);
  requireHex32("operator_omni", operator);
  const { scope, verdict, reason } = decision;
  const params_digest = digestOf(encodeCanonical(params));
  await services.store.append(
    toEnvelope(services, {
      actor: actor.id,
      operator,
      op_kind: kind.permission_check,
      op_body: { scope, verdict, reason, params_digest },
      result: verdict === "accept" ? success : notPermitted,
    }),
  );
}
