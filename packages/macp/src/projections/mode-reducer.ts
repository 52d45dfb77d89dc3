import type { SessionStartPayload } from "../generated/macp/v1/core_pb.ts";
import type { MessageType, ModeKey, Payload } from "../protocol/mode-table.ts";

/** What every session knows of itself from its first message on. */
export interface SessionFacts {
  /** Sender of the SessionStart; "" while none was seen. */
  readonly initiator: string;
  /** As declared, in that order. */
  readonly participants: readonly string[];
  readonly start: SessionStartPayload | undefined;
}

export type AnomalyKind =
  | "duplicate_ballot"
  | "duplicate_task_accept"
  | "duplicate_vote"
  | "settled_handoff"
  | "undecodable_payload"
  | "unknown_subject";

/** What a reducer answers instead of a state. */
export interface Oddity {
  readonly anomaly: AnomalyKind;
  readonly subjectId: string;
  readonly detail: string;
}

/** One accepted message as a reducer sees it. */
export interface Received<P> {
  readonly payload: P;
  readonly sender: string;
}

type Step<S, P> = (state: S, message: Received<P>, facts: SessionFacts) => S | Oddity;

/**
 * One mode's rules for reading its history: pure functions by message type. Each answers the next state (the same object
 * where nothing changes) or an oddity.
 */
export interface ModeReducer<K extends ModeKey, S> {
  readonly mode: K;
  readonly initial: S;
  readonly phase: (state: S, facts: SessionFacts) => string;
  readonly on: {
    readonly [T in Exclude<MessageType<K>, "Commitment">]: Step<S, Payload<K, T>>;
  };
  readonly onCommitment?: (state: S) => S;
}

export function defineReducer<K extends ModeKey, S>(reducer: ModeReducer<K, S>): ModeReducer<K, S> {
  return Object.freeze(reducer);
}
