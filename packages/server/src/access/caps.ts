import { randomBytes } from "node:crypto";
import {
  type AgentKeysError,
  CapToken,
  capOps,
  type CapPayload,
  clampTtl,
  debugName,
  hex32Problem,
  type WireValue,
} from "@agentkeys/contract";
import type { Actor } from "./admission.ts";
import { unixNow } from "../audit/records.ts";
import { backendError, refusal } from "./refusals.ts";
import type { Services } from "../services.ts";

export type CapOp = keyof typeof capOps;

export interface CapRequest {
  op: CapOp;
  actor: Actor;
  /** As given: `0x` and 64 hex digits. */
  operator: string;
  service: string;
  /** Device key hash, as given. */
  device: string;
  /** Seconds. */
  ttl: number | bigint;
}

/** A payload as the broker makes one, after the broker's own checks of the request. `step` begins the text of a refusal. */
export function toPayload(services: Services, request: CapRequest, step: string): CapPayload {
  const problem = requestProblem(request);
  if (problem !== undefined) {
    const reason = "invalid_input";
    throw refusal(step, { status: 400, error: problem, reason, code: "backend_error" });
  }
  const issued_at = unixNow(services);
  return {
    operator_omni: request.operator.toLowerCase(),
    actor_omni: request.actor.id,
    service: request.service.toLowerCase(),
    ...capOps[request.op],
    device_key_hash: request.device.toLowerCase(),
    k3_epoch: 1,
    issued_at,
    expires_at: issued_at + clampTtl(Number(request.ttl)),
    nonce: randomBytes(16).toString("hex"),
  };
}

function requestProblem({ operator, actor, device, service }: CapRequest): string | undefined {
  return (
    hex32Problem("operator_omni", operator) ??
    hex32Problem("actor_omni", actor.omni) ??
    hex32Problem("device_key_hash", device) ??
    serviceProblem(service)
  );
}

function serviceProblem(service: string): string | undefined {
  const size = Buffer.byteLength(service);
  if (size < 1 || size > 64) return "service must be 1..=64 chars";
  return /[*?/\\]|\.\./.test(service)
    ? "service must not contain wildcard or path characters (* ? / \\ ..)"
    : undefined;
}

/**
 * A capability that the caller presents, checked as a worker does (signature, op, data class, time), then against what is done
 * with it, then against the store. Throws; `step` begins the text.
 */
export async function verifiedPayload(
  services: Services,
  presented: WireValue,
  { want, step }: { want: CapRequest; step: string },
): Promise<CapPayload> {
  const parsed = CapToken.safeParse(presented);
  if (!parsed.success || !services.keys.verifyCap(parsed.data)) {
    throw refused(step, { error: "signature verify failed", reason: "broker_sig_invalid" });
  }
  const { payload } = parsed.data;
  const problem = mismatch(payload, want) ?? staleness(payload, unixNow(services));
  if (problem !== undefined) throw refused(step, problem);
  const row = await services.store.cap(payload.nonce);
  if (row === undefined)
    throw gone(step, `cap not minted by this backend: cap_id=${payload.nonce}`, "cap_unknown");
  if (row.revoked_at !== undefined)
    throw gone(step, `cap revoked: cap_id=${payload.nonce}`, "cap_revoked");
  return payload;
}

interface Problem {
  error: string;
  reason: string;
  code?: "cap_expired" | "backend_error" | "scope_denied";
}

function mismatch(payload: CapPayload, want: CapRequest): Problem | undefined {
  const { op, data_class } = capOps[want.op];
  const names = [payload.op, op, payload.data_class, data_class].map(debugName);
  if (payload.op !== op) {
    const error = `cap op ${names[0]} does not match endpoint ${names[1]}`;
    return { error, reason: "cap_op_mismatch" };
  }
  if (payload.data_class !== data_class) {
    const error = `cap data_class ${names[2]} does not match endpoint ${names[3]}`;
    return { error, reason: "cap_data_class_mismatch" };
  }
  const bound =
    payload.actor_omni === want.actor.id && payload.operator_omni === want.operator.toLowerCase();
  if (!bound) return { error: "cap was minted for another actor", reason: "cap_actor_mismatch" };
  return payload.service === want.service.toLowerCase()
    ? undefined
    : { error: "cap was minted for another service", reason: "cap_service_mismatch" };
}

function staleness(payload: CapPayload, now: number): Problem | undefined {
  const reason = "cap_freshness_failed";
  if (payload.expires_at <= now) {
    const error = `cap expired at ${payload.expires_at} (now=${now})`;
    return { error, reason, code: "cap_expired" };
  }
  return payload.issued_at > now + 60
    ? { error: `cap issued in the future at ${payload.issued_at} (now=${now})`, reason }
    : undefined;
}

function refused(step: string, problem: Problem): AgentKeysError {
  return refusal(step, { status: 403, code: "backend_error", ...problem });
}

function gone(step: string, text: string, code: "cap_unknown" | "cap_revoked"): AgentKeysError {
  return backendError(step, 403, { text, code });
}
