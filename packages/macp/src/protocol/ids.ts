import type { MacpErrorCode } from "./error-codes.ts";

/** Canonical lower-case UUIDs: as session ids every runtime takes them. */
export function newSessionId(): string {
  return crypto.randomUUID();
}

export function newMessageId(): string {
  return crypto.randomUUID();
}

export function newCommitmentId(): string {
  return crypto.randomUUID();
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-([0-9a-f])[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const base64url = /^[A-Za-z0-9_-]{22,}$/;

/**
 * Whether a session may be started under this id: a canonical lower-case UUID of version 4 or 7, or at
 * least 22 characters of base64url. What parses as a UUID is judged as one.
 */
export function isSessionId(id: string): boolean {
  const parsed = uuid.exec(id);
  if (parsed === null) return base64url.test(id);
  // The variant is not looked at: the reference runtime does not either.
  const [, version] = parsed;
  return id === id.toLowerCase() && (version === "4" || version === "7");
}

/** Why a message may not be sent; the code is the one that a runtime would answer. */
export interface Problem {
  readonly code: MacpErrorCode;
  readonly message: string;
}
