import { hash } from "node:crypto";
import {
  AgentKeysError,
  stringifySorted,
  toolKey,
  tools,
  type WireValue,
} from "@agentkeys/contract";
import { knownActor, refuseRevoked } from "../access/admission.ts";
import { fieldsOf, optionalText } from "./fields.ts";
import { handlers } from "../operations/handlers.ts";
import { recordDenied } from "../audit/records.ts";
import type { RpcContext } from "./rpc-request.ts";

/** `tools/call`: the result as JSON text, its keys sorted as upstream's. */
export async function callTool(
  context: RpcContext,
  params: WireValue | undefined,
): Promise<string> {
  const { services, caller, idempotencyKey } = context;
  if (params === undefined)
    throw new AgentKeysError("invalid_params", "tools/call requires params");
  const call = fieldsOf(params);
  const name = optionalText(call, "name");
  if (name === undefined) throw new AgentKeysError("invalid_params", "tools/call missing `name`");
  const key = toolKey(name);
  if (key === undefined || tools[key].status[services.surface] === "absent") {
    throw new AgentKeysError("tool_not_found", `tool not found: ${name}`);
  }
  const args = fieldsOf(call["arguments"]);
  const run = async () => toResult(await handlers[key](services, { caller, args }));
  services.metrics.called(key);
  try {
    if (!caller.local && key !== "permission_check") {
      refuseRevoked(services, knownActor(services, caller, caller.actor));
    }
    if (idempotencyKey === undefined || tools[key].readOnly) return await run();
    const digest = hash("sha256", `${name}\n${stringifySorted(args)}`);
    return await services.replays.once({ by: caller.actor, key: idempotencyKey, digest }, run);
  } catch (error) {
    if (AgentKeysError.is(error, "actor_revoked")) {
      const actor = caller.local ? (optionalText(args, "actor") ?? "") : caller.actor;
      await recordDenied(services, { actor, what: name, reason: "actor_revoked" });
    }
    throw error;
  }
}

function toResult(value: WireValue): string {
  const text = stringifySorted(value);
  return `{"content":[{"text":${JSON.stringify(text)},"type":"text"}],"isError":false,"structuredContent":${text}}`;
}
