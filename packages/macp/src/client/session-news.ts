import { isTerminal, type SessionEvent, type SessionState } from "./session-info.ts";

/** What a session that is now in this state has last been through. */
const eventOf: Readonly<Partial<Record<SessionState, SessionEvent["type"]>>> = {
  OPEN: "RESUMED",
  RESOLVED: "RESOLVED",
  EXPIRED: "EXPIRED",
  SUSPENDED: "SUSPENDED",
  CANCELLED: "CANCELLED",
};

/**
 * Every opening of a watch tells CREATED of each session that is there. This turns the repeated ones into what is
 * news about the session, or into nothing. Keeps a word for each session it was told of.
 */
export function createSessionNews(): (event: SessionEvent) => SessionEvent | undefined {
  const known = new Map<string, SessionState>();
  return (event) => {
    const { sessionId, state } = event.session;
    const before = known.get(sessionId);
    known.set(sessionId, state);
    if (event.type !== "CREATED" || before === undefined) return event;
    if (before === state || isTerminal(before)) return undefined;
    return { ...event, type: eventOf[state] ?? event.type };
  };
}
