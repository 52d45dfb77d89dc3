import type { Envelope } from "./envelope.ts";
import type { Acceptance, Outcome, SendRights } from "./kernel.ts";
import { acceptMessage, acceptStart } from "./accept.ts";
import { expireIfDue, type Parts } from "./parts.ts";
import { type Refusal, refuse } from "./refusal.ts";
import type { Session } from "./session.ts";
import { judgeStart } from "./session-start.ts";
import { passingProblem } from "./shape.ts";
import type { Topic } from "./topic.ts";

const accepted = ({ state }: Session, duplicate = false): Acceptance => ({
  ok: true,
  state,
  duplicate,
});

export function sendStart(
  parts: Parts,
  envelope: Envelope,
  rights: SendRights,
): Outcome | Promise<Outcome> {
  const { table, journal, clock } = parts;
  const { sessionId, messageId, sender } = envelope;
  const [known, atMs] = [table.get(sessionId), clock()];
  const start = judgeStart(envelope, parts, { known, atMs });
  if (!start.ok) return start;
  if ("taken" in start) {
    const again = start.taken.seen.has(messageId);
    const outcome = again ? accepted(start.taken, true) : refuse("SessionAlreadyExists");
    return journal.answer(start.taken, outcome);
  }
  const missing = table.missing(sessionId);
  if (missing.variant === "StorageFailed") return missing;
  if (hasTooMany(parts, sender, { rights, atMs })) return refuse("RateLimited");
  const { session, bound } = start;
  const entry = acceptStart(session, envelope, { bound, atMs });
  table.add(session);
  journal.record(session, entry, "CREATED");
  return journal.answer(session, accepted(session));
}

function hasTooMany(
  { table }: Parts,
  sender: string,
  { rights: { maxOpenSessions }, atMs }: { rights: SendRights; atMs: number },
): boolean {
  if (maxOpenSessions === undefined) return false;
  let open = 0;
  for (const { expiresAtMs } of table.openOf(sender)) {
    if (atMs <= expiresAtMs) open += 1;
  }
  return open >= maxOpenSessions;
}

export function sendMessage(parts: Parts, envelope: Envelope): Outcome | Promise<Outcome> {
  const { table, journal, clock } = parts;
  const session = table.get(envelope.sessionId);
  if (session === undefined) return table.missing(envelope.sessionId);
  return journal.answer(session, messageOutcome(parts, session, { envelope, atMs: clock() }));
}

/**
 * A repeated id is answered before anything else is looked at: whatever came with it, it was accepted. Then come mode, deadline and
 * state, and only then the rules of the mode.
 */
function messageOutcome(
  parts: Parts,
  session: Session,
  { envelope, atMs }: { envelope: Envelope; atMs: number },
): Outcome {
  if (session.seen.has(envelope.messageId)) return accepted(session, true);
  if (envelope.mode !== session.mode) return refuse("InvalidEnvelope");
  const wasOpen = session.state === "Open";
  if (expireIfDue(parts, session, atMs) && wasOpen) return refuse("TtlExpired");
  if (session.state !== "Open") return refuse("SessionNotOpen");
  const change = session.machine.judge(envelope, atMs);
  if (!change.ok) return change;
  const entry = acceptMessage(session, envelope, { change, atMs });
  parts.journal.record(session, entry, session.state === "Open" ? undefined : "RESOLVED");
  return accepted(session);
}

/** Signals and Progress are told to whoever listens and leave no trace. */
export function pass(parts: Parts, signals: Topic<Envelope>, envelope: Envelope): Outcome {
  const refusal = passingProblem(envelope) ?? progressProblem(parts, envelope);
  if (refusal !== undefined) return refusal;
  signals.publish(envelope);
  return { ok: true, state: "Open", duplicate: false };
}

/** Progress of a session is its people's; it may come after the end. */
function progressProblem({ table }: Parts, envelope: Envelope): Refusal | undefined {
  if (envelope.sessionId === "") return undefined;
  const session = table.get(envelope.sessionId);
  if (session === undefined) return table.missing(envelope.sessionId);
  if (envelope.mode !== "" && envelope.mode !== session.mode) return refuse("InvalidEnvelope");
  const { members, initiator } = session.terms;
  const theirs =
    members.size === 0 || members.has(envelope.sender) || envelope.sender === initiator;
  return theirs ? undefined : refuse("Forbidden");
}
