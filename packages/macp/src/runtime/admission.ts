import type { Envelope } from "../kernel/envelope.ts";
import { forbidden, rateLimited, unauthenticated, type Denial } from "./acks.ts";
import type { Identity } from "./auth/identity.ts";
import type { RateLimit } from "./rate-limit.ts";

export interface Admission {
  readonly starts: RateLimit;
  readonly messages: RateLimit;
}

/** The envelope in the name of who is authenticated; nobody sends in another's. */
export function asSender<T extends Envelope>(envelope: T, { sender }: Identity): T | Denial {
  if (envelope.sender === sender) return envelope;
  return envelope.sender === "" ? { ...envelope, sender } : unauthenticated;
}

/** What an authenticated caller may send, before the kernel sees it: only in its modes, only so often. */
export function admit(
  { messageType, mode }: Envelope,
  identity: Identity,
  { starts, messages }: Admission,
): Denial | undefined {
  const start = messageType === "SessionStart";
  if (identity.allowedModes?.has(mode) === false) return forbidden;
  if (start && !identity.canStartSessions) return forbidden;
  return (start ? starts : messages).admit(identity.sender) ? undefined : rateLimited;
}

export function isDenial(value: object): value is Denial {
  return "ok" in value && value.ok === false;
}
