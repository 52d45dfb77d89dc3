import type { CapPayload, WireValue } from "@agentkeys/contract";
import type { Actor } from "../access/admission.ts";
import type { CapRequest } from "../access/caps.ts";
import { toPayload, verifiedPayload } from "../access/caps.ts";
import type { Fields } from "../rpc/fields.ts";
import { unsigned } from "../rpc/fields.ts";
import { anyOther } from "../access/policy.ts";
import { notPermitted, toEnvelope } from "../audit/records.ts";
import { backendError, scopeDenied } from "../access/refusals.ts";
import type { Services } from "../services.ts";

/** Seconds. */
const defaultTtl = 300;

export function ttlOf(value: WireValue | undefined): number | bigint {
  return unsigned(value) ?? defaultTtl;
}

/** Whether the configuration gives the actor this scope; without one every actor has all of them. */
export function hasScope(actor: Actor, scope: string): boolean {
  if (actor.settings === undefined) return true;
  const { scopes } = actor.settings;
  const rule = scopes.get(scope) ?? scopes.get(anyOther);
  return rule !== undefined && "effect" in rule && rule.effect === "allow";
}

/** One read or write of a vault, before it happens. */
export interface Access {
  readonly request: CapRequest;
  readonly allowed: boolean;
  readonly op_kind: number;
  /** `key` or `service`: what the record names. */
  readonly target: Fields;
  /** `memory_get failed: ` and the like. */
  readonly step: string;
}

/** Scope, then capability: the presented one, else one made for this call alone. Throws; a missing scope is recorded. */
export async function authorise(
  services: Services,
  access: Access,
  args: Fields,
): Promise<CapPayload> {
  const { request, step } = access;
  const own = toPayload(services, request, "cap_mint failed: ");
  if (!access.allowed) {
    await recordRefusal(services, access);
    throw scopeDenied("cap_mint failed: ");
  }
  if (services.surface === "default") {
    const presented = args["cap"] ?? null;
    return presented === null ? own : verifiedPayload(services, presented, { want: request, step });
  }
  if (Number(request.ttl) === 0) {
    const text = `cap expired: cap_id=${own.nonce}`;
    throw backendError(step, 403, { text, code: "cap_expired" });
  }
  return own;
}

export async function recordRefusal(services: Services, access: Access): Promise<void> {
  const { request, op_kind, target } = access;
  const actor = request.actor.id;
  const operator = request.operator.toLowerCase();
  await services.store.append(
    toEnvelope(services, { actor, operator, op_kind, op_body: target, result: notPermitted }),
  );
}
