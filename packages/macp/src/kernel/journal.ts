import type { AcceptedEnvelope } from "./envelope.ts";
import type { LifecycleEvent, LifecycleKind } from "./kernel.ts";
import { type Refusal, refuse } from "./refusal.ts";
import { type Session, toMetadata } from "./session.ts";
import type { SessionTable } from "./session-table.ts";
import type { LogEntry, Store } from "./store.ts";
import { createTopic, type Listener, type Topic, type Unsubscribe } from "./topic.ts";

/** What a session has just become is written down, and told to whoever listens once it is durable. */
export interface Journal {
  readonly lifecycle: Topic<LifecycleEvent>;
  record(session: Session, entry: LogEntry, event?: LifecycleKind): void;
  /** The answer, once everything that the session has become by now is durable: at once where it is. */
  answer<T>(session: Session, value: T): T | Promise<T | Refusal>;
  listen(sessionId: string, listener: Listener<AcceptedEnvelope>): Unsubscribe;
}

/** Instead of an answer: what it rests on was not stored. */
export const lost: Refusal = refuse("StorageFailed");

export function createJournal(store: Store, table: SessionTable): Journal {
  const lifecycle = createTopic<LifecycleEvent>();
  const streams = new Map<string, Topic<AcceptedEnvelope>>();

  const publish = (session: Session, entry: LogEntry, event?: LifecycleEvent): void => {
    if (entry.kind === "incoming") streams.get(session.id)?.publish(entry);
    if (event !== undefined) lifecycle.publish(event);
  };

  return {
    lifecycle,
    record(session, entry, kind) {
      const event = kind && {
        kind,
        session: toMetadata(session),
        observedAtMs: entry.receivedAtMs,
      };
      let settle: ((kept: boolean) => void) | undefined;
      let done = false;
      store.append(entry, (error) => {
        done = true;
        // The session in memory is ahead of the log: what the log says counts.
        if (error !== undefined) table.drop(session);
        else publish(session, entry, event);
        settle?.(error === undefined);
      });
      if (done) return;
      const tail = new Promise<boolean>((resolve) => {
        settle = (kept) => {
          if (session.tail === tail) session.tail = undefined;
          resolve(kept);
        };
      });
      session.tail = tail;
    },
    answer(session, value) {
      return session.tail === undefined
        ? value
        : session.tail.then((kept) => (kept ? value : lost));
    },
    listen(sessionId, listener) {
      const topic = streams.get(sessionId) ?? createTopic<AcceptedEnvelope>();
      streams.set(sessionId, topic);
      const unsubscribe = topic.subscribe(listener);
      return () => {
        unsubscribe();
        if (!topic.heard() && streams.get(sessionId) === topic) streams.delete(sessionId);
      };
    },
  };
}
