import { type Refusal, refuse } from "./refusal.ts";
import { createReplay, type RestoreReport } from "./replay.ts";
import { isOver, type Session } from "./session.ts";
import type { Store } from "./store.ts";

/** The sessions in memory, and behind them those that the store can bring back. */
export interface SessionTable {
  readonly restored: RestoreReport;
  /** Reads it back from the store where it was let go. */
  get(sessionId: string): Session | undefined;
  /** For an id without a session. A log that cannot be replayed keeps its id: nothing may be written behind it. */
  missing(sessionId: string): Refusal;
  add(session: Session): void;
  /** Forgets what memory knows, so that the next look asks the store. */
  drop(session: Session): void;
  /** Open sessions that this initiator has started. */
  openOf(initiator: string): Iterable<Session>;
  all(): Iterable<Session>;
  /** Lets go of sessions that are over and were started before `startedBeforeMs`. */
  evict(startedBeforeMs: number): void;
}

export function createSessionTable(store: Store, startedAfterMs: number): SessionTable {
  const { sessions, unreadable, report } = restore(store, startedAfterMs);
  const byInitiator = new Map<string, Set<Session>>();
  const index = (session: Session): void => {
    const { initiator } = session.terms;
    byInitiator.set(initiator, (byInitiator.get(initiator) ?? new Set()).add(session));
  };
  const unindex = (session: Session): void => {
    const started = byInitiator.get(session.terms.initiator);
    started?.delete(session);
    if (started?.size === 0) byInitiator.delete(session.terms.initiator);
  };
  const add = (session: Session): void => {
    sessions.set(session.id, session);
    if (!isOver(session.state)) index(session);
  };
  const load = (sessionId: string): Session | undefined => {
    if (unreadable.has(sessionId)) return undefined;
    const replay = createReplay();
    for (const entry of store.read(sessionId)) replay.feed(entry);
    if (replay.failed.has(sessionId)) unreadable.add(sessionId);
    const session = replay.sessions.get(sessionId);
    if (session !== undefined) add(session);
    return session;
  };
  for (const session of sessions.values()) add(session);
  return {
    restored: report,
    get: (sessionId) => sessions.get(sessionId) ?? load(sessionId),
    missing: (sessionId) => refuse(unreadable.has(sessionId) ? "StorageFailed" : "UnknownSession"),
    add,
    drop(session) {
      unindex(session);
      if (sessions.get(session.id) === session) sessions.delete(session.id);
    },
    *openOf(initiator) {
      for (const session of byInitiator.get(initiator) ?? []) {
        if (isOver(session.state)) unindex(session);
        else if (session.state === "Open") yield session;
      }
    },
    all: () => sessions.values(),
    evict(startedBeforeMs) {
      for (const session of sessions.values()) {
        const old = session.startedAtMs < startedBeforeMs && session.tail === undefined;
        if (!old || !isOver(session.state)) continue;
        unindex(session);
        sessions.delete(session.id);
      }
    },
  };
}

function restore(store: Store, startedAfterMs: number) {
  const replay = createReplay();
  let entries = 0;
  for (const entry of store.entries(startedAfterMs)) {
    entries += 1;
    replay.feed(entry);
  }
  const report: RestoreReport = {
    sessions: replay.sessions.size,
    entries,
    mismatches: replay.failed.size,
    failed: Array.from(replay.failed, ([sessionId, reason]) => ({ sessionId, reason })),
  };
  return { sessions: new Map(replay.sessions), unreadable: new Set(replay.failed.keys()), report };
}
