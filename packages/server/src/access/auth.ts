import { hash, timingSafeEqual } from "node:crypto";
import { AgentKeysError } from "@agentkeys/contract";
import type { Settings } from "../config/settings.ts";

/** Who speaks. */
export interface Caller {
  /** Name of the token's vendor. */
  readonly vendor: string;
  /** The actor header, trimmed. */
  readonly actor: string;
  /** The process that holds our standard input: no token, no header, and any actor that it names. */
  readonly local: boolean;
}

export const localCaller: Caller = Object.freeze({ vendor: "local", actor: "*", local: true });

export interface Operator {
  readonly omni: string;
}

export interface Tokens {
  /** The vendor of an Authorization header. Throws `unauthorized`. */
  vendor(authorization: string | undefined): string;
  /** The operator of an Authorization header. Throws `unauthorized`; `forbidden` for a vendor's token. */
  operator(authorization: string | undefined): Operator;
}

export function createTokens(settings: Settings): Tokens {
  const vendors = tokenTable(settings.vendors.map((v) => [v.token, v.name] as const));
  const operators = tokenTable(settings.operators.map((o) => [o.token, { omni: o.omni }] as const));
  return {
    vendor: (authorization) =>
      vendors(bearer(authorization)) ?? unauthorized("bearer token not recognized"),
    operator: (authorization) => {
      const token = bearer(authorization);
      const operator = operators(token);
      if (operator !== undefined) return operator;
      if (vendors(token) === undefined) unauthorized("bearer token not recognized");
      throw new AgentKeysError("forbidden", "an agent's token opens no operator route");
    },
  };
}

/**
 * Looks a token up in constant time: every entry is compared, by hash, so that lengths do not tell either. One that was right is
 * known from then on: that it answers faster tells its holder nothing new.
 */
function tokenTable<T extends string | object>(
  entries: readonly (readonly [token: string, of: T])[],
): (token: string) => T | undefined {
  const table = entries.map(([token, of]) => ({ digest: digest(token.trim()), of }));
  const known = new Map<string, T>();
  return (token) => {
    let found = known.get(token);
    if (found !== undefined) return found;
    const presented = digest(token);
    for (const entry of table) if (timingSafeEqual(presented, entry.digest)) found = entry.of;
    if (found !== undefined) known.set(token, found);
    return found;
  };
}

function digest(token: string): Buffer {
  return hash("sha256", token, "buffer");
}

function bearer(authorization: string | undefined): string {
  if (authorization === undefined) unauthorized("missing Authorization header");
  if (!authorization.startsWith("Bearer ")) {
    unauthorized("malformed Authorization header (expected `Bearer <token>`)");
  }
  const token = authorization.slice("Bearer ".length).trim();
  return token === "" ? unauthorized("empty bearer token") : token;
}

/** The actor header, trimmed. */
export function actorHeader(value: string | undefined): string {
  if (value === undefined)
    throw new AgentKeysError("forbidden", "missing X-AgentKeys-Actor header");
  const actor = value.trim();
  if (actor === "") throw new AgentKeysError("forbidden", "empty X-AgentKeys-Actor header");
  return actor;
}

function unauthorized(message: string): never {
  throw new AgentKeysError("unauthorized", message);
}
