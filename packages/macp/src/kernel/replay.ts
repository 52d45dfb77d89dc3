import type { Mode } from "../modes/mode.ts";
import { builtInMode } from "../modes/mode-registry.ts";
import { passthrough } from "../modes/passthrough.ts";
import { acceptInternal, acceptMessage, acceptStart } from "./accept.ts";
import type { Session } from "./session.ts";
import { openSession, readStart } from "./session-start.ts";
import type { Bound, IncomingEntry, LogEntry } from "./store.ts";

export interface RestoreReport {
  readonly sessions: number;
  readonly entries: number;
  /** Recorded messages that were not accepted again: their sessions stay closed to everybody. */
  readonly mismatches: number;
  readonly failed: readonly { readonly sessionId: string; readonly reason: string }[];
}

export interface Replay {
  readonly sessions: ReadonlyMap<string, Session>;
  /** Sessions that could not be built again, with the reason. */
  readonly failed: ReadonlyMap<string, string>;
  feed(entry: LogEntry): void;
}

/**
 * Builds sessions from their log by the same rules and changes as live, with the recorded clock. Limits and deadlines are not
 * checked again: they were, when the entry was written.
 */
export function createReplay(): Replay {
  const sessions = new Map<string, Session>();
  const failed = new Map<string, string>();
  return {
    sessions,
    failed,
    feed(entry) {
      if (failed.has(entry.sessionId)) return;
      const session = sessions.get(entry.sessionId);
      const next = session === undefined ? start(entry) : advance(session, entry);
      if (typeof next !== "string") {
        sessions.set(entry.sessionId, next);
        return;
      }
      failed.set(entry.sessionId, next);
      sessions.delete(entry.sessionId);
    },
  };
}

/** The session after the entry, or why there is none. */
function start(entry: LogEntry): Session | string {
  if (entry.kind === "internal" || entry.bound === undefined || entry.index !== 0) {
    return "the log does not begin with a SessionStart";
  }
  const { bound, envelope, receivedAtMs } = entry;
  const mode = modeOf(bound);
  const payload = readStart(envelope.payload);
  if (mode === undefined || payload === undefined) return "its SessionStart cannot be read";
  const session = openSession(envelope, { mode, payload, bound, acceptedAtMs: receivedAtMs });
  if ("ok" in session) return `its SessionStart is refused: ${session.variant}`;
  acceptStart(session, envelope, { bound, atMs: receivedAtMs });
  return session;
}

function modeOf({ rules_of, message_types = [] }: Bound): Mode | undefined {
  return rules_of === undefined ? passthrough(message_types) : builtInMode(rules_of);
}

function advance(session: Session, entry: LogEntry): Session | string {
  if (entry.index !== session.entries) return `entry ${session.entries} is missing`;
  if (entry.kind === "incoming") return replayMessage(session, entry);
  const { messageType, payload, receivedAtMs } = entry;
  acceptInternal(session, messageType, { payload, atMs: receivedAtMs });
  return session;
}

function replayMessage(
  session: Session,
  { envelope, receivedAtMs }: IncomingEntry,
): Session | string {
  const change = session.machine.judge(envelope, receivedAtMs);
  if (!change.ok) return `message ${session.ordinal + 1} is refused: ${change.variant}`;
  acceptMessage(session, envelope, { change, atMs: receivedAtMs });
  return session;
}
