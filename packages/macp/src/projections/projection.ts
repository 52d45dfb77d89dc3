import type { CommitmentPayload } from "../generated/macp/v1/core_pb.ts";
import type { Envelope } from "../generated/macp/v1/envelope_pb.ts";
import { modeTable, type ModeKey } from "../protocol/mode-table.ts";
import { editing, type Unseen } from "./collections.ts";
import { emptyHistory, type History, isOddity, read } from "./history.ts";
import type { AnomalyKind, ModeReducer, SessionFacts } from "./mode-reducer.ts";

/** A message that a runtime accepted and that this projection cannot take at its word. The state is as without it. */
export interface Anomaly {
  readonly kind: AnomalyKind;
  readonly mode: string;
  readonly messageType: string;
  readonly messageId: string;
  readonly sender: string;
  /** The proposal, task, handoff or request that the message is about. */
  readonly subjectId: string;
  readonly detail: string;
}

/** How a message was taken. `ignored`: of another mode, or of a type that the mode does not have. */
export type Applied = "applied" | "duplicate" | "anomaly" | "ignored";

/** One session as its accepted messages tell it: a pure function of the messages applied, in their order. */
export interface Projection<S = unknown> extends SessionFacts {
  /** The mode's id on the wire. */
  readonly mode: string;
  /** A state does not change any more once it was read. */
  readonly state: S;
  /** The mode's own word for where it stands; "Committed" after a commitment, for good. */
  readonly phase: string;
  /** Every message taken, in acceptance order, SessionStart first. */
  readonly transcript: readonly Envelope[];
  readonly anomalies: readonly Anomaly[];
  readonly commitment: CommitmentPayload | undefined;
  readonly isCommitted: boolean;
  /** The commitment's own claim; undefined before there is one. */
  readonly isPositiveOutcome: boolean | undefined;
  /** Whether a message of that id was taken. */
  has(messageId: string): boolean;
  /** Messages must come in acceptance order; one whose id was taken before is a duplicate. */
  apply(envelope: Envelope): Applied;
}

/** The part that all modes share; `queries` adds the mode's own, which read the projection that they are given. */
export function createProjection<K extends ModeKey, S, Q extends object>(
  reducer: ModeReducer<K, S>,
  queries: (of: Projection<S>) => Q,
): Projection<S> & Q {
  const { mode } = modeTable[reducer.mode];
  const seen = new Set<string>();
  const transcript: Envelope[] = [];
  const anomalies: Anomaly[] = [];
  let history = emptyHistory(reducer);
  let unseen: Unseen = new WeakSet();

  function apply(envelope: Envelope): Applied {
    const { messageType, messageId, sender } = envelope;
    if (envelope.mode !== mode) return "ignored";
    if (seen.has(messageId)) return "duplicate";
    const next = editing(unseen, () => read(reducer, history, envelope));
    if (next === undefined) return "ignored";
    seen.add(messageId);
    transcript.push(envelope);
    if (!isOddity(next)) {
      history = next;
      return "applied";
    }
    const { anomaly: kind, subjectId, detail } = next;
    anomalies.push({ kind, mode, messageType, messageId, sender, subjectId, detail });
    return "anomaly";
  }

  const shared: Projection<S> = joined(
    { mode, transcript, anomalies, apply, has: (messageId: string) => seen.has(messageId) },
    view(reducer, {
      newest: () => history,
      seen: () => {
        unseen = new WeakSet();
        return history.state;
      },
    }),
  );
  return joined(shared, queries(shared));
}

/** The first object with the other's properties, getters as getters. */
const joined = <A extends object, B extends object>(target: A, source: B): A & B =>
  Object.defineProperties(target, Object.getOwnPropertyDescriptors(source)) as A & B;

/** What can be read off the newest history. */
function view<K extends ModeKey, S>(
  reducer: ModeReducer<K, S>,
  { newest, seen }: { newest: () => History<S>; seen: () => S },
): Omit<Projection<S>, "mode" | "transcript" | "anomalies" | "apply" | "has"> {
  return {
    get initiator() {
      return newest().facts.initiator;
    },
    get participants() {
      return newest().facts.participants;
    },
    get start() {
      return newest().facts.start;
    },
    get state() {
      return seen();
    },
    get phase() {
      const { commitment, state, facts } = newest();
      return commitment === undefined ? reducer.phase(state, facts) : "Committed";
    },
    get commitment() {
      return newest().commitment;
    },
    get isCommitted() {
      return newest().commitment !== undefined;
    },
    get isPositiveOutcome() {
      return newest().commitment?.outcomePositive;
    },
  };
}

/** Applies a whole history; returns the projection. */
export async function replay<P extends Projection>(
  projection: P,
  history: Iterable<Envelope> | AsyncIterable<Envelope>,
): Promise<P> {
  for await (const envelope of history) projection.apply(envelope);
  return projection;
}
