import type { ModeRegistry } from "../modes/mode-registry.ts";
import type { PolicyRegistry } from "../policy/policy-registry.ts";
import { acceptInternal } from "./accept.ts";
import type { Journal } from "./journal.ts";
import { isDue, type Session } from "./session.ts";
import type { SessionTable } from "./session-table.ts";

/** What the kernel's methods share. */
export interface Parts {
  readonly modes: ModeRegistry;
  readonly policies: PolicyRegistry;
  readonly table: SessionTable;
  readonly journal: Journal;
  /** Unix milliseconds. */
  readonly clock: () => number;
}

const nothing = new Uint8Array(0);

/** Ends a session whose time has run out. Whoever touches a session comes through here. */
export function expireIfDue({ journal }: Parts, session: Session, now: number): boolean {
  if (!isDue(session, now)) return false;
  const entry = acceptInternal(session, "TtlExpired", { payload: nothing, atMs: now });
  journal.record(session, entry, "EXPIRED");
  return true;
}

/** The session as it is now: expired if its time has run out. */
export function touch(parts: Parts, sessionId: string): Session | undefined {
  const session = parts.table.get(sessionId);
  if (session !== undefined) expireIfDue(parts, session, parts.clock());
  return session;
}
