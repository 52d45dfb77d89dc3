import { AgentKeysError, hexFieldProblem, isReservedOpKind } from "@agentkeys/contract";
import { actingActor, operatorOf } from "../access/admission.ts";
import { isFields, missing, narrowed, optionalText, requiredText } from "../rpc/fields.ts";
import { notPermitted, toEnvelope } from "../audit/records.ts";
import { backendError } from "../access/refusals.ts";
import type { Handler } from "./handler.ts";

/** Upstream's environment defaults are never used here, and both bytes are narrowed without a range error. */
export const append: Handler = async (services, { caller, args }) => {
  const omni = requiredText(args, "actor");
  const event = args["event"];
  if (!isFields(event)) return missing("event");
  const operator = requiredText(event, "operator_omni", "event.operator_omni");
  const op_kind = narrowed(event["op_kind"]) ?? missing("event.op_kind");
  const result = narrowed(event["result"]) ?? missing("event.result");
  const actor = actingActor(services, caller, omni);
  operatorOf(services, actor, operator);
  const problem = hexFieldProblem("actor_omni", omni) ?? hexFieldProblem("operator_omni", operator);
  if (problem !== undefined) throw refused(problem);
  if (services.surface === "default") {
    refuseReserved(op_kind);
    if (result > notPermitted) throw refused(`unknown result byte: ${result}`);
  }
  const { op_body = {} } = event;
  const { envelope_hash } = await services.store.append({
    ...toEnvelope(services, { actor: omni, operator, op_kind, op_body, result }),
    intent_text: optionalText(event, "intent_text") ?? null,
  });
  return { ok: true, envelope_hash };
};

function refused(text: string): AgentKeysError {
  return backendError("audit_append failed: ", 400, { text, code: "backend_error" });
}

/** What the guard writes is written by the guard's own calls only. */
export function refuseReserved(op_kind: number): void {
  if (!isReservedOpKind(op_kind)) return;
  throw new AgentKeysError(
    "forbidden",
    `op_kind ${op_kind} is written by the guard's own calls only`,
  );
}
