import type { Policy } from "../policy/policy.ts";
import type { AcceptedEnvelope, Envelope } from "./envelope.ts";

/** What a session is bound to for ever, whatever becomes of registries and defaults. Written with its SessionStart. */
export interface Bound {
  readonly mode_version: string;
  readonly policy: Policy;
  readonly max_suspend_ms: number;
  readonly semantics_rev: number;
  /** Whose rules: a built-in mode's id, which stays when the mode is promoted under another; absent for an extension. */
  readonly rules_of?: string;
  /** Of an extension that was registered at run time. */
  readonly message_types?: readonly string[];
}

export type InternalType = "TtlExpired" | "SessionCancel" | "SessionSuspend" | "SessionResume";

interface EntryPlace {
  readonly sessionId: string;
  /** 0, 1, 2, … in the session, without gaps. */
  readonly index: number;
  /** The acceptance clock, unix milliseconds. Replay reads it instead of the clock. */
  readonly receivedAtMs: number;
  /** Whether the session is over with this entry. */
  readonly ends: boolean;
}

/** A client's message that was accepted. */
export interface IncomingEntry extends EntryPlace {
  readonly kind: "incoming";
  readonly envelope: Envelope;
  /** Its place among the session's accepted messages, from 1. */
  readonly ordinal: number;
  /** With the SessionStart only. */
  readonly bound?: Bound;
}

/** Something that the runtime did. It takes no ordinal and is never streamed. */
export interface InternalEntry extends EntryPlace {
  readonly kind: "internal";
  readonly messageType: InternalType;
  readonly payload: Uint8Array;
}

export type LogEntry = IncomingEntry | InternalEntry;

/** The log of all sessions. One conformance suite tests every implementation. */
export interface Store {
  /** True when history is gone with the process: then it is let go together with the session in memory. */
  readonly volatile: boolean;
  /**
   * Takes the entry. `settled` is called once, in the order of the entries: without an error when it is durable; with one when
   * nothing of it was kept, and then everything that was taken after it fails too, in the same tick.
   */
  append(entry: LogEntry, settled: (error?: unknown) => void): void;
  /** Durable entries of the sessions that are not over or were started later than `startedAfterMs`, each session's in order. */
  entries(startedAfterMs: number): Iterable<LogEntry>;
  /** Durable entries of one session, in order; empty for an unknown one. */
  read(sessionId: string): Iterable<LogEntry>;
  /** Durable accepted envelopes of one session with an ordinal above `after`. */
  history(sessionId: string, after: number): readonly AcceptedEnvelope[];
  /** Removes sessions that are over and were started before `startedBeforeMs`. */
  forget(startedBeforeMs: number): void;
  /** What was taken is made durable; nothing more is. */
  close(): void;
}
