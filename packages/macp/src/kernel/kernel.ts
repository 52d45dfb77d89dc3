import type { ModeRegistry } from "../modes/mode-registry.ts";
import type { PolicyRegistry } from "../policy/policy-registry.ts";
import type { AcceptedEnvelope, Envelope } from "./envelope.ts";
import type { Refusal } from "./refusal.ts";
import type { SessionMetadata, SessionSnapshot, SessionState } from "./session.ts";
import type { RestoreReport } from "./replay.ts";
import type { Listener, Unsubscribe } from "./topic.ts";

export interface Acceptance {
  readonly ok: true;
  /** After this message; `Open` for Signals and Progress. */
  readonly state: SessionState;
  /** The message had been accepted before: nothing happened. */
  readonly duplicate: boolean;
}

/** Answered once everything that the answer rests on is durable. A refusal changed nothing. */
export type Outcome = Acceptance | Refusal;

export type LifecycleKind =
  | "CREATED"
  | "RESOLVED"
  | "EXPIRED"
  | "SUSPENDED"
  | "RESUMED"
  | "CANCELLED";

export interface LifecycleEvent {
  readonly kind: LifecycleKind;
  /** As it was right after the event. */
  readonly session: SessionMetadata;
  /** Unix milliseconds. */
  readonly observedAtMs: number;
}

export interface KernelLimits {
  /** Bytes of a payload. Default 1_048_576. */
  maxPayloadBytes?: number;
  /** How long an ended session stays in memory, counted from its start. A durable store brings it back when it is asked for. Default 3_600_000. */
  retentionMs?: number;
  /** How long the store keeps an ended session, counted from its start. Default 0: for ever. */
  diskRetentionMs?: number;
}

/** What a caller of `send` may do beyond its identity, which is the envelope's sender. */
export interface SendRights {
  /** Most open sessions of this sender; no limit when absent. */
  maxOpenSessions?: number | undefined;
}

export type SessionGlance = Pick<SessionMetadata, "mode" | "state" | "initiator" | "participants">;

/** A control request by an authenticated caller. */
export interface ControlRequest {
  readonly by: string;
  readonly reason: string;
}

/**
 * Sessions, modes and policies of one runtime. Each message is judged and applied when the method is called, in the order of the
 * calls; what is awaited is its durability, and only that.
 */
export interface Kernel {
  readonly modes: ModeRegistry;
  readonly policies: PolicyRegistry;
  /** What was read back from the store at the start. */
  readonly restored: RestoreReport;

  /** The rules of an envelope's shape, which hold before anybody is authenticated. `send` applies them too. */
  checkShape(envelope: Envelope): Refusal | undefined;
  /** SessionStart, a message of a mode, Signal or Progress. The sender is taken as authenticated. */
  send(envelope: Envelope, rights?: SendRights): Promise<Outcome>;
  /** The same, answered at once where nothing has to become durable first. Throws when the store cannot be read. */
  receive(envelope: Envelope, rights?: SendRights): Outcome | Promise<Outcome>;
  /** A session that has ended already answers ok with its state. */
  cancel(sessionId: string, request: ControlRequest): Promise<Outcome>;
  suspend(sessionId: string, request: ControlRequest): Promise<Outcome>;
  resume(sessionId: string, request: ControlRequest): Promise<Outcome>;

  /** Undefined for an unknown session. Expires it first when it is due. */
  get(sessionId: string): Promise<SessionMetadata | undefined>;
  /**
   * The session as the next call will find it, whether or not that is durable yet. Undefined for an unknown session. Expires it
   * first when it is due.
   */
  peek(sessionId: string): SessionGlance | undefined;
  /** Every session in memory, in the order of session ids. */
  list(): Promise<SessionMetadata[]>;
  /** State, mode state and resolution, in upstream's JSON shape. */
  inspect(sessionId: string): Promise<SessionSnapshot | undefined>;
  /**
   * Accepted envelopes with an ordinal above `after`, durable ones only. Together with `watchSession` in the same tick nothing is
   * missed and nothing comes twice. Undefined for an unknown session.
   */
  history(sessionId: string, after?: number): readonly AcceptedEnvelope[] | undefined;

  /**
   * Each of these is called after the commit, in the order of acceptance. The session need not exist yet.
   */
  watchSession(sessionId: string, listener: Listener<AcceptedEnvelope>): Unsubscribe;
  watchSessions(listener: Listener<LifecycleEvent>): Unsubscribe;
  /** Signals and Progress. */
  watchSignals(listener: Listener<Envelope>): Unsubscribe;

  /** Expires what is due and lets go of what is past its retention. Call it now and then. Returns how many expired. */
  sweep(): number;
  /** Everything answered is durable; what comes later is refused. */
  close(): Promise<void>;
}
