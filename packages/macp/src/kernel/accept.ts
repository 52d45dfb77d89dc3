import type { Change } from "../modes/mode.ts";
import type { Envelope } from "./envelope.ts";
import { cancel, expire, isOver, resume, type Session, suspend } from "./session.ts";
import type { Bound, IncomingEntry, InternalEntry, InternalType } from "./store.ts";

/** A SessionStart takes its place in the session that it opened. */
export function acceptStart(
  session: Session,
  envelope: Envelope,
  { bound, atMs }: { bound: Bound; atMs: number },
): IncomingEntry {
  return { ...takePlace(session, envelope, atMs), bound };
}

/** A message of the mode changes the session. */
export function acceptMessage(
  session: Session,
  envelope: Envelope,
  { change, atMs }: { change: Change; atMs: number },
): IncomingEntry {
  change.apply();
  if (change.resolution !== undefined) {
    session.state = "Resolved";
    session.resolution = change.resolution;
  }
  const activity = session.activity.get(envelope.sender);
  if (activity === undefined) {
    session.activity.set(envelope.sender, { lastMessageAtMs: atMs, messageCount: 1 });
  } else {
    activity.lastMessageAtMs = atMs;
    activity.messageCount += 1;
  }
  return takePlace(session, envelope, atMs);
}

function takePlace(session: Session, envelope: Envelope, receivedAtMs: number): IncomingEntry {
  session.seen.add(envelope.messageId);
  return {
    kind: "incoming",
    sessionId: session.id,
    index: session.entries++,
    ordinal: ++session.ordinal,
    receivedAtMs,
    ends: isOver(session.state),
    envelope,
  };
}

const changes: Readonly<Record<InternalType, (session: Session, atMs: number) => void>> = {
  TtlExpired: expire,
  SessionCancel: cancel,
  SessionSuspend: suspend,
  SessionResume: resume,
};

/** The runtime itself changes the session. */
export function acceptInternal(
  session: Session,
  messageType: InternalType,
  { payload, atMs }: { payload: Uint8Array; atMs: number },
): InternalEntry {
  changes[messageType](session, atMs);
  return {
    kind: "internal",
    sessionId: session.id,
    index: session.entries++,
    receivedAtMs: atMs,
    ends: isOver(session.state),
    messageType,
    payload,
  };
}
