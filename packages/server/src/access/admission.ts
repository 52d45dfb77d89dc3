import { AgentKeysError, hex32Problem } from "@agentkeys/contract";
import type { Caller } from "./auth.ts";
import type { Services } from "../services.ts";
import type { ActorSettings } from "../config/settings.ts";

/** An actor that may act here and now. */
export interface Actor {
  /** As the caller spelt it: answers echo it. */
  readonly omni: string;
  /** In lower case, with `0x`: what state and policy are keyed by. */
  readonly id: string;
  /** From the configuration file; undefined = there is none, and every actor may do what the built-in policy says. */
  readonly settings: ActorSettings | undefined;
}

/** One id for every spelling that an audit record takes for the same 32 bytes. */
function idOf(omni: string): string {
  const lower = omni.toLowerCase();
  return lower.length === 64 && /^[0-9a-f]+$/.test(lower) ? `0x${lower}` : lower;
}

/** The actor as far as the configuration knows it. Throws `forbidden` for one that is not this vendor's to speak for. */
export function knownActor(services: Services, caller: Caller, omni: string): Actor {
  const id = idOf(omni);
  const { actors } = services.settings;
  if (actors === undefined) return { omni, id, settings: undefined };
  const settings = actors.get(id);
  const speaks =
    settings?.vendor === undefined || caller.local || settings.vendor === caller.vendor;
  // One text for both, so that a vendor cannot find out whom another one serves.
  if (settings === undefined || !speaks) {
    throw new AgentKeysError("forbidden", `actor not allowed: ${omni}`);
  }
  return { omni, id, settings };
}

/** The argument's actor: that of the header, and known. */
export function claimedActor(services: Services, caller: Caller, omni: string): Actor {
  if (!caller.local && caller.actor !== omni) {
    const message = `actor mismatch: header=${caller.actor}, param=${omni}`;
    throw new AgentKeysError("actor_mismatch", message);
  }
  return knownActor(services, caller, omni);
}

/** As `claimedActor`, and not revoked. */
export function actingActor(services: Services, caller: Caller, omni: string): Actor {
  const actor = claimedActor(services, caller, omni);
  refuseRevoked(services, actor);
  return actor;
}

export function refuseRevoked(services: Services, actor: Actor): void {
  if (services.revoked.has(actor.id)) {
    throw new AgentKeysError("actor_revoked", `actor revoked: ${actor.omni}`);
  }
}

/** The operator of a call in lower case: with a configuration file only the actor's own. Throws `forbidden`. */
export function operatorOf(services: Services, actor: Actor, given: string | undefined): string {
  const own = actor.settings?.operator;
  if (own === undefined) {
    return (given ?? services.settings.defaults.operator_omni ?? actor.id).toLowerCase();
  }
  if (given !== undefined && given.toLowerCase() !== own) {
    throw new AgentKeysError(
      "forbidden",
      `operator mismatch: ${given} is not the actor's operator`,
    );
  }
  return own;
}

export const hex32 = /^0x[0-9a-fA-F]{64}$/;

/** Throws `invalid_params` with upstream's text for what is not `0x` and 64 hex digits. */
export function requireHex32(label: string, value: string): void {
  if (hex32.test(value)) return;
  throw new AgentKeysError("invalid_params", hex32Problem(label, value) ?? `${label} is no omni`);
}
