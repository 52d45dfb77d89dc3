import { createModeRegistry } from "../modes/mode-registry.ts";
import { createPolicyRegistry } from "../policy/policy-registry.ts";
import { defaultMaxPayloadBytes } from "../protocol/constants.ts";
import { createControls } from "./controls.ts";
import type { Envelope } from "./envelope.ts";
import { createJournal, lost } from "./journal.ts";
import type { Kernel, KernelLimits, Outcome, SendRights } from "./kernel.ts";
import { expireIfDue, type Parts, touch } from "./parts.ts";
import { pass, sendMessage, sendStart } from "./send.ts";
import { type Session, toMetadata, toSnapshot } from "./session.ts";
import { createSessionTable } from "./session-table.ts";
import { shapeProblem } from "./shape.ts";
import { createOwner } from "./own.ts";
import type { Store } from "./store.ts";
import { createTopic, type Topic } from "./topic.ts";

export interface KernelOptions {
  store: Store;
  /** Unix milliseconds. Default: `Date.now`. */
  clock?: () => number;
  limits?: KernelLimits;
}

/** Milliseconds. */
const defaultRetentionMs = 3_600_000;

/** Reads back what the store has. The store is the kernel's from then on, and is closed with it. */
export function createKernel({ store, clock = Date.now, limits = {} }: KernelOptions): Kernel {
  const { maxPayloadBytes = defaultMaxPayloadBytes, retentionMs = defaultRetentionMs } = limits;
  const table = createSessionTable(store, clock() - retentionMs);
  const journal = createJournal(store, table);
  const [modes, policies] = [createModeRegistry(), createPolicyRegistry()];
  const parts: Parts = { modes, policies, table, journal, clock };
  const signals = createTopic<Envelope>();
  const toOwn = createOwner();
  const checkShape = (envelope: Envelope) => shapeProblem(envelope, maxPayloadBytes);
  let closed = false;
  const receive: Kernel["receive"] = (envelope, rights = {}) => {
    if (closed) return lost;
    return checkShape(envelope) ?? deliver(parts, toOwn(envelope), { rights, signals });
  };
  return {
    modes,
    policies,
    restored: table.restored,
    checkShape,
    receive,
    // Async, so that a store that cannot be read rejects and never throws; it runs to its answer at once.
    send: async (envelope, rights) => receive(envelope, rights),
    ...createControls(parts),
    ...createReaders(parts),
    history(sessionId, after = 0) {
      return table.get(sessionId) && store.history(sessionId, after);
    },
    watchSession: journal.listen,
    watchSessions: journal.lifecycle.subscribe,
    watchSignals: signals.subscribe,
    sweep: () => sweep(parts, store, { ...limits, retentionMs }),
    async close() {
      closed = true;
      store.close();
    },
  };
}

function deliver(
  parts: Parts,
  envelope: Envelope,
  { rights, signals }: { rights: SendRights; signals: Topic<Envelope> },
): Promise<Outcome> | Outcome {
  switch (envelope.messageType) {
    case "SessionStart":
      return sendStart(parts, envelope, rights);
    case "Signal":
    case "Progress":
      return pass(parts, signals, envelope);
    default:
      return sendMessage(parts, envelope);
  }
}

function createReaders(parts: Parts): Pick<Kernel, "get" | "peek" | "inspect" | "list"> {
  const { table, journal, clock } = parts;
  const read = async <T>(sessionId: string, view: (session: Session) => T) => {
    const session = touch(parts, sessionId);
    if (session === undefined) return undefined;
    const answer = await journal.answer(session, { seen: view(session) });
    // What was seen is not what is stored: look again at what is.
    return "seen" in answer ? answer.seen : readAgain(parts, sessionId, view);
  };
  return {
    get: (sessionId) => read(sessionId, toMetadata),
    inspect: (sessionId) => read(sessionId, toSnapshot),
    peek(sessionId) {
      const session = touch(parts, sessionId);
      if (session === undefined) return undefined;
      const { mode, state, terms } = session;
      return { mode, state, initiator: terms.initiator, participants: terms.participants };
    },
    async list() {
      const now = clock();
      const ids: string[] = [];
      for (const session of table.all()) {
        expireIfDue(parts, session, now);
        ids.push(session.id);
      }
      const sessions = await Promise.all(ids.toSorted().map((id) => read(id, toMetadata)));
      return sessions.filter((session) => session !== undefined);
    },
  };
}

function readAgain<T>({ table }: Parts, sessionId: string, view: (session: Session) => T) {
  const session = table.get(sessionId);
  return session && view(session);
}

function sweep(
  parts: Parts,
  store: Store,
  { retentionMs = defaultRetentionMs, diskRetentionMs = 0 }: KernelLimits,
): number {
  const now = parts.clock();
  let expired = 0;
  for (const session of parts.table.all()) {
    if (expireIfDue(parts, session, now)) expired += 1;
  }
  parts.table.evict(now - retentionMs);
  const kept = store.volatile ? retentionMs : diskRetentionMs;
  if (kept > 0) store.forget(now - kept);
  return expired;
}
