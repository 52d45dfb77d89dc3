import { decodeProtectedHeader, jwtVerify, type JWTPayload } from "jose";
import { z } from "zod";
import { bearerOf, type Authenticate, type Identity } from "./identity.ts";
import type { KeySource } from "./jwks-source.ts";
import { candidates, keyType, type VerifyKey } from "./key-set.ts";

export interface JwtOptions {
  readonly issuer: string;
  readonly audience: string;
  readonly algorithms: readonly string[];
  readonly source: KeySource;
  /** Unix ms. */
  readonly now: () => number;
}

/** Tolerance for clocks that differ, s; the reference runtime's. */
const LEEWAY = 60;
const CACHED = 1_000;

const claims = z.object({
  sub: z.string().min(1),
  exp: z.number(),
  macp_scopes: z
    .object({
      can_start_sessions: z.boolean().nullish(),
      can_manage_mode_registry: z.boolean().nullish(),
      is_observer: z.boolean().nullish(),
      allowed_modes: z.array(z.string()).nullish(),
      max_open_sessions: z.int().min(0).nullish(),
    })
    .nullish(),
});

/** A bearer with a dot in it is a JWT, and what it answers is final. undefined where the bearer is none. */
export function jwtAuthentication(options: JwtOptions): {
  readonly claims: (bearer: string) => boolean;
  readonly authenticate: Authenticate;
} {
  for (const alg of options.algorithms) {
    if (keyType(alg) === undefined) throw new Error(`unknown algorithm ${alg}`);
  }
  const verified = createCache(options.now);
  return {
    claims: (bearer) => bearer.includes("."),
    authenticate: (credentials) => {
      const token = bearerOf(credentials);
      if (token === undefined) return undefined;
      let keys: readonly VerifyKey[] | Promise<readonly VerifyKey[]>;
      try {
        keys = options.source.keys();
      } catch {
        return undefined;
      }
      if (!(keys instanceof Promise)) {
        return verified.get(token, keys) ?? verify(token, keys, { ...options, verified });
      }
      return keys.then(
        (fetched) => verify(token, fetched, { ...options, verified }),
        () => undefined,
      );
    },
  };
}

type Cache = ReturnType<typeof createCache>;

/** Never throws: what cannot be verified is nobody. */
async function verify(
  token: string,
  keys: readonly VerifyKey[],
  options: JwtOptions & { readonly verified: Cache },
): Promise<Identity | undefined> {
  const header = headerOf(token);
  if (header === undefined || !options.algorithms.includes(header.alg)) return undefined;
  for (const key of candidates(keys, header)) {
    const payload = await payloadOf(token, key, { ...options, alg: header.alg });
    const read = payload === undefined ? undefined : claims.safeParse(payload);
    if (read?.success === true) {
      const identity = toIdentity(read.data);
      options.verified.set(token, { keys, identity, until: (read.data.exp + LEEWAY) * 1_000 });
      return identity;
    }
  }
  return undefined;
}

async function payloadOf(
  token: string,
  key: VerifyKey,
  { alg, issuer, audience, now }: JwtOptions & { readonly alg: string },
): Promise<JWTPayload | undefined> {
  try {
    const { payload } = await jwtVerify(token, await key.for(alg), {
      algorithms: [alg],
      issuer,
      audience,
      requiredClaims: ["exp", "sub"],
      clockTolerance: LEEWAY,
      currentDate: new Date(now()),
    });
    return payload;
  } catch {
    return undefined;
  }
}

function headerOf(token: string): { alg: string; kid: string | undefined } | undefined {
  try {
    const { alg, kid } = decodeProtectedHeader(token);
    return alg === undefined ? undefined : { alg, kid };
  } catch {
    return undefined;
  }
}

function toIdentity({ sub, macp_scopes: scopes }: z.output<typeof claims>): Identity {
  return {
    sender: sub,
    allowedModes: scopes?.allowed_modes == null ? undefined : new Set(scopes.allowed_modes),
    canStartSessions: scopes?.can_start_sessions ?? true,
    maxOpenSessions: scopes?.max_open_sessions ?? undefined,
    canManageModeRegistry: scopes?.can_manage_mode_registry ?? false,
    isObserver: scopes?.is_observer ?? false,
  };
}

/** Verified tokens of one key set: a signature costs as much as a hundred messages. Oldest out first. */
function createCache(now: () => number) {
  const entries = new Map<string, { keys: unknown; identity: Identity; until: number }>();
  return {
    get(token: string, keys: unknown): Identity | undefined {
      const found = entries.get(token);
      if (found !== undefined && found.keys === keys && now() < found.until) return found.identity;
      entries.delete(token);
      return undefined;
    },
    set(token: string, entry: { keys: unknown; identity: Identity; until: number }): void {
      if (entries.size >= CACHED) entries.delete(entries.keys().next().value ?? token);
      entries.set(token, entry);
    },
  };
}
