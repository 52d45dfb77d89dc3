import type { Json } from "../modes/json.ts";
import type { Machine } from "../modes/mode.ts";
import type { SessionTerms } from "../modes/session-terms.ts";

export type SessionState = "Open" | "Suspended" | "Resolved" | "Expired" | "Cancelled";

/** Times are unix milliseconds. */
export interface Session {
  readonly id: string;
  readonly mode: string;
  readonly terms: SessionTerms;
  readonly machine: Machine;
  readonly startedAtMs: number;
  readonly contextId: string;
  readonly extensionKeys: readonly string[];
  readonly maxSuspendMs: number;
  state: SessionState;
  /** A client's clock may put it anywhere in an int64. */
  expiresAtMs: bigint;
  suspendedAtMs: number | undefined;
  /** Milliseconds, over all suspensions that have ended. */
  suspendedMs: number;
  /** Ids of accepted messages. */
  readonly seen: Set<string>;
  /** Of each sender, its SessionStart left out. */
  readonly activity: Map<string, { lastMessageAtMs: number; messageCount: number }>;
  /** Accepted messages. */
  ordinal: number;
  /** Entries in the log. */
  entries: number;
  resolution: Uint8Array | undefined;
  /** Settles with the last entry that is not durable yet: whether it became so. */
  tail: Promise<boolean> | undefined;
}

export interface SessionMetadata {
  readonly sessionId: string;
  readonly mode: string;
  readonly state: SessionState;
  readonly startedAtMs: number;
  readonly expiresAtMs: bigint;
  readonly modeVersion: string;
  readonly configurationVersion: string;
  /** The resolved id. */
  readonly policyVersion: string;
  readonly participants: readonly string[];
  readonly participantActivity: readonly {
    readonly participantId: string;
    readonly lastMessageAtMs: number;
    readonly messageCount: number;
  }[];
  readonly initiator: string;
  readonly contextId: string;
  readonly extensionKeys: readonly string[];
}

export interface SessionSnapshot {
  readonly state: SessionState;
  /** In upstream's JSON shape. */
  readonly modeState: Json;
  /** Bytes of the commitment, or what the mode makes of it. Undefined before. */
  readonly resolution: Uint8Array | undefined;
}

export function isOver(state: SessionState): boolean {
  return state === "Resolved" || state === "Expired" || state === "Cancelled";
}

/** Whether the session has run out of time, open or suspended. */
export function isDue(session: Session, now: number): boolean {
  if (session.state === "Open") return now > session.expiresAtMs;
  return session.state === "Suspended" && suspendedFor(session, now) > session.maxSuspendMs;
}

function suspendedFor({ suspendedMs, suspendedAtMs = 0 }: Session, now: number): number {
  return suspendedMs + Math.max(0, now - suspendedAtMs);
}

export function expire(session: Session): void {
  session.state = "Expired";
  session.suspendedAtMs = undefined;
}

export function cancel(session: Session): void {
  session.state = "Cancelled";
  session.suspendedAtMs = undefined;
}

export function suspend(session: Session, now: number): void {
  session.state = "Suspended";
  session.suspendedAtMs = now;
}

const latest = 0x7fff_ffff_ffff_ffffn;

/** The clock stood still while it was suspended; longer than allowed in all, and the session is over. */
export function resume(session: Session, now: number): void {
  const suspended = suspendedFor(session, now);
  const banked = BigInt(suspended - session.suspendedMs);
  session.suspendedMs = suspended;
  if (suspended > session.maxSuspendMs) return expire(session);
  session.suspendedAtMs = undefined;
  session.expiresAtMs = clampInt64(session.expiresAtMs + banked);
  session.state = "Open";
}

export function clampInt64(value: bigint): bigint {
  return value > latest ? latest : value;
}

export function toMetadata(session: Session): SessionMetadata {
  const { terms } = session;
  return {
    sessionId: session.id,
    mode: session.mode,
    state: session.state,
    startedAtMs: session.startedAtMs,
    expiresAtMs: session.expiresAtMs,
    modeVersion: terms.modeVersion,
    configurationVersion: terms.configurationVersion,
    policyVersion: terms.policyVersion,
    participants: terms.participants,
    participantActivity: Array.from(session.activity, ([participantId, activity]) => ({
      participantId,
      ...activity,
    })),
    initiator: terms.initiator,
    contextId: session.contextId,
    extensionKeys: session.extensionKeys,
  };
}

export function toSnapshot({ state, machine, resolution }: Session): SessionSnapshot {
  return { state, modeState: machine.snapshot(), resolution };
}
