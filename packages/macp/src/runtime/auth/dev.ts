import { bearerOf, type Authenticate } from "./identity.ts";

/** Whatever the caller calls itself is who it is, with every right but the observer's. Never beside another method. */
export function devAuthentication(): Authenticate {
  return (credentials) => {
    const sender = bearerOf(credentials) ?? credentials.token;
    if (sender === undefined) return undefined;
    return {
      sender,
      allowedModes: undefined,
      canStartSessions: true,
      maxOpenSessions: undefined,
      canManageModeRegistry: true,
      isObserver: false,
    };
  };
}
