import { type AuditEnvelope, decodeEnvelope, opKindName, toJsonValue } from "@agentkeys/contract";
import type { LogEntry } from "@agentkeys/server";

/** What the guard's records say; each record has the fields of its own kind. */
export interface RecordedFacts {
  tool?: string;
  call_id?: string;
  run_key?: string;
  scope?: string | null;
  verdict?: "accept" | "deny" | "ask_parent";
  reason?: string;
  input_digest?: string | null;
  /** Input fields in clear. */
  clear?: Record<string, unknown>;
  outcome?: string;
  is_error?: boolean;
  /** Hash of the record that this one belongs to. */
  intent?: string;
  /** Id of an approval. */
  approval?: string;
  approver?: string;
}

/** One durable record: the envelope, the name of its kind, and the facts of its body beside it. */
export interface Recorded extends RecordedFacts, Omit<AuditEnvelope, "op_body"> {
  /** 1, 2, 3, … */
  seq: number;
  /** The name of `op_kind`: `guard.intent`, `runtime.tool_result`, … */
  kind: string;
  envelope_hash: string;
  /** The whole body. */
  op_body: Record<string, unknown>;
}

const factNames: readonly string[] = [
  "tool",
  "call_id",
  "run_key",
  "scope",
  "verdict",
  "reason",
  "input_digest",
  "clear",
  "outcome",
  "is_error",
  "intent",
  "approval",
  "approver",
] satisfies (keyof RecordedFacts)[];

/** Every field that a record can be asked for. */
export const recordedFields: ReadonlySet<string> = new Set([
  "seq",
  "kind",
  "envelope_hash",
  "op_body",
  "version",
  "ts_unix",
  "actor_omni",
  "operator_omni",
  "op_kind",
  "result",
  "intent_text",
  "intent_commitment",
  ...factNames,
]);

export function toRecorded({ seq, envelope_hash, bytes }: LogEntry): Recorded {
  const envelope = decodeEnvelope(bytes);
  const op_body = bodyOf(toJsonValue(envelope.op_body));
  const facts = Object.fromEntries(
    Object.entries(op_body).filter(([name]) => factNames.includes(name)),
  );
  return { seq, kind: opKindName(envelope.op_kind), envelope_hash, ...facts, ...envelope, op_body };
}

/** Anybody may append a body of another form. */
function bodyOf(body: unknown): Record<string, unknown> {
  const isMap = typeof body === "object" && body !== null && !Array.isArray(body);
  return isMap ? (body as Record<string, unknown>) : { value: body };
}
