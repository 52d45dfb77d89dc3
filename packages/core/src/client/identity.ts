import { AgentKeysError } from "@agentkeys/contract";
import type { ClientOptions } from "./client-surface.ts";
import { env } from "./env.ts";

/** What a client says of itself; the keys are the wire's own names where the wire has one. */
const sources = {
  token: { option: "token", variable: "AGENTKEYS_MCP_VENDOR_TOKEN" },
  actor: { option: "actor", variable: "AGENTKEYS_ACTOR_OMNI" },
  operator_omni: { option: "operator", variable: "AGENTKEYS_OPERATOR_OMNI" },
  device_key_hash: { option: "deviceKeyHash", variable: "AGENTKEYS_DEVICE_KEY_HASH" },
  session_bearer: { option: "sessionBearer", variable: "AGENTKEYS_SESSION_BEARER" },
} as const;

export type IdentityField = keyof typeof sources;

/** Read when a method needs it and not before, so that a client can be made where nothing is set yet. */
export interface Identity {
  have(field: IdentityField): string | undefined;
  /** Throws `config_invalid`, naming what is missing and where to set it. */
  need(field: IdentityField): string;
}

export function createIdentity(options: ClientOptions): Identity {
  const known = new Map<IdentityField, string>();
  const have = (field: IdentityField): string | undefined => {
    const before = known.get(field);
    if (before !== undefined) return before;
    const { option, variable } = sources[field];
    const value = options[option] || env(variable);
    if (value !== undefined) known.set(field, value);
    return value;
  };
  return {
    have,
    need(field) {
      const value = have(field);
      if (value !== undefined) return value;
      const { option, variable } = sources[field];
      throw new AgentKeysError(
        "config_invalid",
        `missing ${field}: set the environment variable ${variable} or pass createClient({ ${option} })`,
        { data: { field, variable, option } },
      );
    },
  };
}
