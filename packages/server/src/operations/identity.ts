import { actingActor } from "../access/admission.ts";
import type { Handler } from "./handler.ts";
import { ambientIn } from "./handler.ts";

const builtInScopes = ["memory.read", "memory.write", "payment.spend"];

export const whoami: Handler = (services, call) => {
  const actor = actingActor(services, call.caller, ambientIn(services, call, { key: "actor" }));
  const allowed = [...(actor.settings?.scopes ?? [])].filter(
    ([, rule]) => "per_call" in rule || rule.effect !== "deny",
  );
  return {
    omni: actor.omni,
    display_name: `actor:${actor.omni}`,
    vendor: call.caller.vendor,
    scopes: actor.settings === undefined ? [...builtInScopes] : allowed.map(([scope]) => scope),
    _note: "M1 synthesizes locally; broker /v1/identity/whoami lands in M4",
  };
};
