import { configuredAuthentication } from "./auth/chain.ts";
import { devAuthentication } from "./auth/dev.ts";
import type { Authenticate } from "./auth/identity.ts";
import { inlineKeys, remoteKeys } from "./auth/jwks-source.ts";
import { readStaticTokens, type StaticToken } from "./auth/static-tokens.ts";
import { AgentKeysError } from "@agentkeys/contract";

export interface JwtAuth {
  issuer: string;
  /** Default `macp-runtime`. */
  audience?: string;
  /** The key set, as JSON, or where it is fetched from. */
  jwks: { json: string } | { url: string };
  /** How long a fetched set is used before it is fetched again, ms. Default 300_000. */
  ttlMs?: number;
  /** Default RS256 and ES256. */
  algorithms?: readonly string[];
}

export interface RuntimeAuth {
  /** Entries, or their JSON. */
  tokens?: readonly StaticToken[] | string;
  jwt?: JwtAuth;
}

/** Without a configuration whoever calls names itself. Throws `config_invalid`; its text shows no secret. */
export function createAuthentication(
  auth: RuntimeAuth | undefined,
  now: () => number,
): Authenticate {
  if (auth === undefined) return devAuthentication();
  const { tokens, jwt } = auth;
  return configuredAuthentication({
    tokens: typeof tokens === "string" ? invalid("tokens", () => readStaticTokens(tokens)) : tokens,
    jwt: jwt && {
      issuer: jwt.issuer,
      audience: jwt.audience ?? "macp-runtime",
      algorithms: jwt.algorithms ?? ["RS256", "ES256"],
      source: invalid("jwks", () => keySource(jwt, now)),
      now,
    },
  });
}

function keySource({ jwks, ttlMs = 300_000 }: JwtAuth, now: () => number) {
  return "json" in jwks ? inlineKeys(jwks.json) : remoteKeys({ url: jwks.url, ttl: ttlMs, now });
}

function invalid<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new AgentKeysError("config_invalid", `${name}: ${(error as Error).message}`);
  }
}
