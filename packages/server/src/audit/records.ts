import {
  type AuditEnvelope,
  bytesToHex0x,
  hex32Problem,
  keccak256,
  type WireValue,
} from "@agentkeys/contract";
import type { Services } from "../services.ts";

/** Kinds that this authority writes by itself. */
export const kind = {
  cred_store: 0,
  cred_fetch: 1,
  memory_put: 10,
  memory_get: 11,
  scope_revoke: 41,
  tool_result: 110,
  approval: 111,
  guard_intent: 240,
  permission_check: 241,
  cap_mint: 242,
  cap_revoke: 243,
  access_denied: 244,
} as const;

export const success = 0;
export const failure = 1;
export const notPermitted = 2;

export interface Entry {
  /** `0x` and 64 hex digits, as `operator`. */
  actor: string;
  operator: string;
  op_kind: number;
  op_body: WireValue;
  result: number;
}

/** An entry as the envelope that the store writes, stamped with the authority's clock. */
export function toEnvelope(services: Services, entry: Entry): AuditEnvelope {
  return {
    version: 1,
    ts_unix: unixNow(services),
    actor_omni: entry.actor,
    operator_omni: entry.operator,
    op_kind: entry.op_kind,
    op_body: entry.op_body,
    result: entry.result,
    intent_text: null,
    intent_commitment: null,
  };
}

/** keccak256, `0x` and 64 digits. */
export function digestOf(bytes: Uint8Array): string {
  return bytesToHex0x(keccak256(bytes));
}

export function unixNow(services: Services): number {
  return Math.floor(services.clock() / 1000);
}

const nobody = `0x${"0".repeat(64)}`;

/**
 * Records that somebody was turned away. The refusal stands whether or not this can be written, so it never rejects. Default
 * surface only. `actor`: as far as known; zeros where it is no omni.
 */
export async function recordDenied(
  services: Services,
  denied: { actor: string; what: string; reason: string; operator?: string },
): Promise<void> {
  if (services.surface === "v1") return;
  const { actors, defaults } = services.settings;
  const actor = omniOr(denied.actor, nobody);
  const given = denied.operator ?? actors?.get(actor)?.operator ?? defaults.operator_omni;
  const operator = omniOr(given ?? actor, actor);
  const op_body = { what: denied.what, reason: denied.reason };
  const row = { actor, operator, op_kind: kind.access_denied, op_body, result: notPermitted };
  try {
    await services.store.append(toEnvelope(services, row));
  } catch (error) {
    services.log.error({ err: error }, "a refusal could not be recorded");
  }
}

function omniOr(text: string, fallback: string): string {
  return hex32Problem("", text) === undefined ? text.toLowerCase() : fallback;
}
