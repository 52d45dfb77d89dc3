import { importJWK, type CryptoKey, type JWK } from "jose";
import { z } from "zod";

const jwks = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) });

export interface VerifyKey {
  readonly kid: string | undefined;
  /** undefined = any algorithm of its type. */
  readonly alg: string | undefined;
  readonly kty: string;
  /** The key for one algorithm; imported once. Rejects where the key cannot do it. */
  for(alg: string): Promise<CryptoKey | Uint8Array>;
}

/** Reads a JWKS. Throws a plain Error that shows no key. A key for encryption is left out. */
export function readKeySet(json: string): VerifyKey[] {
  const parsed = jwks.safeParse(parse(json));
  if (!parsed.success) throw new Error("not a JWKS");
  return parsed.data.keys
    .map((key) => key as JWK & { kty: string })
    .filter(({ use }) => use === undefined || use === "sig")
    .map(toVerifyKey);
}

/** Keys that may verify a token: of the algorithm's type, and of its kid where both name one and some key has it. */
export function candidates(
  keys: readonly VerifyKey[],
  header: { readonly alg: string; readonly kid: string | undefined },
): VerifyKey[] {
  const able = keys.filter(
    ({ kty, alg }) => kty === keyType(header.alg) && (alg === undefined || alg === header.alg),
  );
  const named = able.filter(({ kid }) => kid !== undefined && kid === header.kid);
  return named.length > 0 ? named : able;
}

/** The signature algorithms that can be allowed, by the type of key each takes. */
const keyTypes: Readonly<Record<string, string>> = {
  HS256: "oct",
  HS384: "oct",
  HS512: "oct",
  RS256: "RSA",
  RS384: "RSA",
  RS512: "RSA",
  PS256: "RSA",
  PS384: "RSA",
  PS512: "RSA",
  ES256: "EC",
  ES384: "EC",
  EdDSA: "OKP",
};

/** undefined for an algorithm that nobody may allow, `none` above all. */
export function keyType(alg: string): string | undefined {
  return Object.hasOwn(keyTypes, alg) ? keyTypes[alg] : undefined;
}

function toVerifyKey(jwk: JWK & { kty: string }): VerifyKey {
  const imported = new Map<string, Promise<CryptoKey | Uint8Array>>();
  return {
    kid: jwk.kid,
    alg: jwk.alg,
    kty: jwk.kty,
    for(alg) {
      const found = imported.get(alg) ?? importJWK(plainOct(jwk), alg);
      imported.set(alg, found);
      return found;
    },
  };
}

/** Shared secrets are often written in padded standard base64, which the reference runtime reads too. */
function plainOct(jwk: JWK): JWK {
  if (jwk.kty !== "oct" || typeof jwk.k !== "string") return jwk;
  const k = jwk.k.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  return { ...jwk, k };
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw new Error("not JSON");
  }
}
