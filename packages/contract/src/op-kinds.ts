/** One kind of audited operation. Inert data: bodies are not checked against it. */
export interface OpKind {
  /** The byte in the envelope. */
  readonly op_kind: number;
  readonly name: string;
  /** Fields of `op_body`; absent where upstream publishes none. */
  readonly fields?: readonly string[];
  /** Fields that the guard writes besides upstream's. */
  readonly added?: readonly string[];
}

/**
 * Every assigned op_kind, in order. Upstream's are below 240, ours begin there. Any other byte is
 * legal too.
 */
export const opKinds: readonly OpKind[] = [
  { op_kind: 0, name: "cred.store", fields: ["service", "payload_hash"] },
  { op_kind: 1, name: "cred.fetch", fields: ["service", "cap_hash"] },
  { op_kind: 2, name: "cred.teardown", fields: ["actor_target"] },
  { op_kind: 10, name: "memory.put", fields: ["key", "payload_hash"] },
  { op_kind: 11, name: "memory.get", fields: ["key", "cap_hash"] },
  { op_kind: 12, name: "memory.teardown", fields: ["actor_target"] },
  { op_kind: 13, name: "memory.inbox_append" },
  { op_kind: 20, name: "sign.eip191", fields: ["message_digest", "wallet"] },
  {
    op_kind: 21,
    name: "sign.eip712",
    fields: [
      "chain_id",
      "verifying_contract",
      "primary_type",
      "type_hash",
      "domain_separator",
      "digest",
    ],
  },
  {
    op_kind: 30,
    name: "payment.escrow_redeem",
    fields: ["escrow_addr", "amount", "recipient", "chain_id"],
  },
  { op_kind: 31, name: "payment.direct", fields: ["rail", "ref", "amount_minor", "currency"] },
  {
    op_kind: 40,
    name: "scope.grant",
    fields: [
      "agent_omni",
      "service_ids",
      "read_only",
      "max_per_call",
      "max_per_period",
      "max_total",
      "period_seconds",
    ],
  },
  { op_kind: 41, name: "scope.revoke", fields: ["agent_omni"] },
  { op_kind: 50, name: "device.add", fields: ["device_key_hash", "role_bits", "attestation_hash"] },
  { op_kind: 51, name: "device.revoke" },
  { op_kind: 52, name: "device.k10_rotate" },
  { op_kind: 53, name: "sandbox.spawn" },
  { op_kind: 54, name: "sandbox.teardown" },
  { op_kind: 55, name: "delegate.spawn" },
  { op_kind: 56, name: "delegate.archive" },
  { op_kind: 60, name: "email.send" },
  { op_kind: 61, name: "email.receive" },
  { op_kind: 70, name: "k3.epoch_advance", fields: ["old_epoch", "new_epoch", "gov_tx"] },
  { op_kind: 80, name: "config.put", fields: ["key", "payload_hash"] },
  { op_kind: 81, name: "config.get", fields: ["key", "cap_hash"] },
  { op_kind: 82, name: "config.teardown", fields: ["actor_target"] },
  { op_kind: 90, name: "gate.turn" },
  { op_kind: 91, name: "gate.speech_asr" },
  { op_kind: 92, name: "gate.speech_tts" },
  { op_kind: 100, name: "channel.publish" },
  { op_kind: 101, name: "channel.subscribe" },
  { op_kind: 102, name: "channel.teardown" },
  { op_kind: 103, name: "gateway.relay" },
  { op_kind: 104, name: "gateway.contact_bind" },
  {
    op_kind: 110,
    name: "runtime.tool_result",
    fields: ["tool", "call_id", "is_error"],
    added: ["outcome", "intent"],
  },
  {
    op_kind: 111,
    name: "runtime.approval",
    fields: ["tool", "outcome"],
    added: ["approval", "digest", "intent", "approver", "by", "reason", "evidence", "rule"],
  },
  { op_kind: 239, name: "hook.tool_result", fields: ["tool", "call_id", "is_error"] },
  {
    op_kind: 240,
    name: "guard.intent",
    fields: [
      "tool",
      "call_id",
      "run_key",
      "scope",
      "verdict",
      "reason",
      "input_digest",
      "clear",
      "approval",
      "rule",
    ],
  },
  {
    op_kind: 241,
    name: "permission.check",
    fields: ["scope", "verdict", "reason", "params_digest"],
  },
  { op_kind: 242, name: "cap.mint", fields: ["op", "service", "cap_id", "expires_at"] },
  { op_kind: 243, name: "cap.revoke", fields: ["cap_id"] },
  { op_kind: 244, name: "access.denied", fields: ["what", "reason"] },
];

const names = new Map(opKinds.map(({ op_kind, name }) => [op_kind, name]));

/** The name of an op_kind byte, `unknown(250)` for one that nobody assigned. */
export function opKindName(byte: number): string {
  return names.get(byte) ?? `unknown(${byte})`;
}

/**
 * Whether only the guard's own calls may write this kind on the default surface. Narrow to a byte
 * first.
 */
export function isReservedOpKind(byte: number): boolean {
  return byte === 110 || byte === 111 || (byte >= 240 && byte <= 249);
}

/** The result byte of an envelope. */
export const RESULTS = { Success: 0, Failure: 1, NotPermitted: 2 } as const;
