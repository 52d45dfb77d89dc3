import type { AcceptedEnvelope } from "../kernel/envelope.ts";
import type { LogEntry, Store } from "../kernel/store.ts";

interface SessionLog {
  readonly entries: LogEntry[];
  readonly accepted: AcceptedEnvelope[];
}

/** Keeps the log of this process's life. */
export function createMemoryStore(): Store {
  const logs = new Map<string, SessionLog>();
  return {
    volatile: true,
    append(entry, settled) {
      const log = logs.get(entry.sessionId) ?? { entries: [], accepted: [] };
      logs.set(entry.sessionId, log);
      log.entries.push(entry);
      if (entry.kind === "incoming") log.accepted.push(entry);
      settled();
    },
    *entries(startedAfterMs) {
      for (const { entries } of logs.values()) {
        if (entries.at(-1)?.ends !== true || startedAt(entries) > startedAfterMs) yield* entries;
      }
    },
    read: (sessionId) => logs.get(sessionId)?.entries ?? [],
    history: (sessionId, after) => logs.get(sessionId)?.accepted.slice(after) ?? [],
    forget(startedBeforeMs) {
      for (const [sessionId, { entries }] of logs) {
        if (entries.at(-1)?.ends === true && startedAt(entries) < startedBeforeMs) {
          logs.delete(sessionId);
        }
      }
    },
    close: () => {},
  };
}

function startedAt([start]: readonly LogEntry[]): number {
  return start?.receivedAtMs ?? 0;
}
