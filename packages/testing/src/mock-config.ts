import type { AuthorityConfig } from "@agentkeys/server";

type ActorConfig = NonNullable<AuthorityConfig["actors"]>[string];

/** Rules of an actor, as in a configuration file. */
export type ActorRules = Pick<ActorConfig, "namespaces" | "services" | "scopes">;

export interface MockIdentity {
  readonly token: string;
  readonly actor: string;
  readonly operator: string;
  readonly deviceKeyHash: string;
}

export const identity: MockIdentity = {
  token: "mock-vendor-token",
  actor: `0x${"a0".repeat(32)}`,
  operator: `0x${"07".repeat(32)}`,
  deviceKeyHash: `0x${"de".repeat(32)}`,
};
export const operatorToken = "mock-operator-token";

/** The authority reads nothing of the environment that a test happens to run in. */
export const env = { VENDOR_TOKEN: identity.token, OPERATOR_TOKEN: operatorToken };

interface Rules {
  deny: readonly string[] | undefined;
  ask: readonly string[] | undefined;
  actor: ActorRules | undefined;
}

/** One actor that may do everything but what the rules say; of a scope in both lists, the denial holds. */
export function configOf({ deny = [], ask = [], actor = {} }: Rules): AuthorityConfig {
  const all = (scopes: readonly string[], rule: "ask" | "deny") =>
    Object.fromEntries(scopes.map((scope) => [scope, rule]));
  return {
    vendors: { mock: { token: "env:VENDOR_TOKEN" } },
    operators: { [identity.operator]: { token: "env:OPERATOR_TOKEN" } },
    actors: {
      [identity.actor]: {
        operator: identity.operator,
        vendor: "mock",
        namespaces: ["travel", "profile"],
        services: ["openrouter"],
        ...actor,
        scopes: { "*": "allow", ...actor.scopes, ...all(ask, "ask"), ...all(deny, "deny") },
      },
    },
  };
}
