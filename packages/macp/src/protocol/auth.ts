import { AgentKeysError } from "@agentkeys/contract";

/** Who calls, and with what. Made by `bearer` or `devAgent`; the token does not show in logs or JSON. */
export interface Auth {
  readonly token: string;
  /** Who the runtime will say this is. A message that names another sender is refused before it is sent. */
  readonly expectedSender?: string;
}

export interface BearerOptions {
  expectedSender?: string;
}

/** A token that the runtime knows, or a JWT. */
export function bearer(token: string, { expectedSender }: BearerOptions = {}): Auth {
  if (token === "") throw new AgentKeysError("config_invalid", "bearer: the token is empty");
  // Visible to whoever asks for it, invisible to whoever prints or copies the object.
  const auth = Object.defineProperty({}, "token", { value: token, enumerable: false });
  return Object.assign(auth, expectedSender === undefined ? {} : { expectedSender }) as Auth;
}

/** For a runtime in development mode, which takes the token for the sender's name. */
export function devAgent(id: string, { expectedSender = id }: BearerOptions = {}): Auth {
  return bearer(id, { expectedSender });
}

/** What travels as `authorization`. A copy of a credential has no token, and must not pass for a caller without a name. */
export function authorizationOf({ token }: Auth): string {
  if (typeof token === "string" && token !== "") return `Bearer ${token}`;
  throw new AgentKeysError(
    "config_invalid",
    "auth: a copy; pass on what bearer() or devAgent() gave",
  );
}
