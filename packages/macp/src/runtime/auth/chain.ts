import { bearerOf, type Authenticate } from "./identity.ts";
import { jwtAuthentication, type JwtOptions } from "./jwt.ts";
import { staticAuthentication, type StaticToken } from "./static-tokens.ts";

export interface ConfiguredAuth {
  readonly tokens?: readonly StaticToken[] | undefined;
  readonly jwt?: JwtOptions | undefined;
}

/** A bearer that looks like a JWT goes to the JWT check alone where there is one; everything else to the static tokens. */
export function configuredAuthentication({ tokens, jwt }: ConfiguredAuth): Authenticate {
  const fixed = staticAuthentication(tokens ?? []);
  if (jwt === undefined) return fixed;
  const signed = jwtAuthentication(jwt);
  return (credentials) => {
    const bearer = bearerOf(credentials);
    return bearer !== undefined && signed.claims(bearer)
      ? signed.authenticate(credentials)
      : fixed(credentials);
  };
}
