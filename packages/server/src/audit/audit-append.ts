import type { AuditEnvelope, WireValue } from "@agentkeys/contract";
import { hexFieldProblem } from "@agentkeys/contract";
import { isFields, unsigned } from "../rpc/fields.ts";
import type { Reply } from "../http/exchange.ts";
import { textReply } from "../http/exchange.ts";
import type { Fields } from "../rpc/fields.ts";
import { unixNow } from "./records.ts";
import type { Services } from "../services.ts";

/** The body of an append as an envelope, or the audit worker's own refusal: 422 for its shape, 400 for its values. */
export function toAppend(services: Services, body: WireValue): AuditEnvelope | Reply {
  const problem = isFields(body) ? shapeProblem(body) : "not an object";
  if (problem !== undefined || !isFields(body)) return textReply(422, `audit envelope: ${problem}`);
  const envelope = {
    version: body["version"] as number,
    ts_unix: Number(body["ts_unix"] ?? 0) || unixNow(services),
    actor_omni: body["actor_omni"] as string,
    operator_omni: body["operator_omni"] as string,
    op_kind: body["op_kind"] as number,
    op_body: body["op_body"] as WireValue,
    result: body["result"] as number,
    intent_text: (body["intent_text"] ?? null) as string | null,
    intent_commitment: (body["intent_commitment"] ?? null) as string | null,
  };
  const refused = valueProblem(envelope);
  return refused === undefined ? { ...envelope, version: 1 } : textReply(400, refused);
}

function shapeProblem(body: Fields): string | undefined {
  for (const name of ["version", "op_kind", "result"]) {
    const byte = unsigned(body[name]);
    if (byte === undefined || byte > 255) return `${name} is not a byte`;
  }
  for (const name of ["actor_omni", "operator_omni"]) {
    if (typeof body[name] !== "string") return `${name} is not a text`;
  }
  for (const name of ["intent_text", "intent_commitment"]) {
    if (typeof (body[name] ?? "") !== "string") return `${name} is not a text`;
  }
  const ts = body["ts_unix"] === undefined ? 0 : unsigned(body["ts_unix"]);
  if (ts === undefined || ts > Number.MAX_SAFE_INTEGER) return "ts_unix is not a time";
  return body["op_body"] === undefined ? "op_body is missing" : undefined;
}

function valueProblem(
  envelope: Omit<AuditEnvelope, "version"> & { version: number },
): string | undefined {
  const { version, actor_omni, operator_omni, intent_commitment, result } = envelope;
  if (version !== 1) return `unsupported envelope version: ${version} (this worker supports 1)`;
  return (
    hexFieldProblem("actor_omni", actor_omni) ??
    hexFieldProblem("operator_omni", operator_omni) ??
    (intent_commitment === null
      ? undefined
      : hexFieldProblem("intent_commitment", intent_commitment)) ??
    (result > 2 ? `unknown result byte: ${result}` : undefined)
  );
}
