import { randomUUID } from "node:crypto";
import { AgentKeysError, encodeCanonical, type JsonObject } from "@agentkeys/contract";
import { actingActor, operatorOf, requireHex32 } from "../access/admission.ts";
import { shownTo, toApproval } from "../approvals/approval.ts";
import { approvalRecord } from "../approvals/decisions.ts";
import { PENDING_LIMIT } from "../approvals/judge.ts";
import { fieldsOf, requiredText } from "../rpc/fields.ts";
import { digestOf } from "../audit/records.ts";
import type { Services } from "../services.ts";
import type { Handler } from "./handler.ts";
import { ambientIn } from "./handler.ts";
import { notImplemented } from "./stubs.ts";

const tool = "agentkeys.approval.request";

/** Asks a person for an opinion. Whatever the answer, no guarded call runs on it. */
export const request: Handler = async (services, call) => {
  if (services.surface === "v1") return notImplemented(services, call);
  const omni = ambientIn(services, call, { key: "actor" });
  const scope = requiredText(call.args, "scope");
  const params = fieldsOf(call.args["params"]);
  const actor = actingActor(services, call.caller, omni);
  const operator_omni = operatorOf(services, actor, undefined);
  requireHex32("actor", actor.omni);
  requireHex32("operator_omni", operator_omni);
  await refuseFlood(services, actor.id);
  const id = randomUUID();
  const approval = await toApproval(services, {
    kind: "review",
    call: undefined,
    actor: actor.id,
    operator_omni,
    tool,
    scope,
    call_id: id,
    run_key: undefined,
    begin_id: id,
    input_digest: digestOf(encodeCanonical({ scope, params })),
    uncertain: false,
    reason: "review_requested",
    explanation: "an opinion is asked for: nothing runs on the answer",
    params,
    clear: undefined,
    describe: undefined,
    input: undefined,
  });
  const told = { outcome: "requested", approver: null } as const;
  const row = await services.store.openApproval(
    approval,
    approvalRecord(services, { ...approval, intent: undefined }, told),
  );
  services.asked.changed(actor.id, 0);
  const shown: unknown = await shownTo(services, "actor", row);
  return { ok: true, approval: shown as JsonObject };
};

async function refuseFlood(services: Services, actor: string): Promise<void> {
  const filter = { actor, status: "pending" };
  const waiting = await services.store.approvals(filter, { limit: PENDING_LIMIT });
  if (waiting.length < PENDING_LIMIT) return;
  const message = `${waiting.length} approvals of this actor wait for an answer`;
  throw new AgentKeysError("rate_limited", message);
}
