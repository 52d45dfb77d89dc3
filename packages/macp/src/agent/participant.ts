import type { Envelope } from "../generated/macp/v1/envelope_pb.ts";
import type { Projection } from "../projections/projection.ts";
import type { ModeKey } from "../protocol/mode-table.ts";
import type { Ending } from "../sessions/endings.ts";
import type { Session } from "../sessions/session-surface.ts";
import { createDispatcher, type Handlers } from "./dispatcher.ts";

/** What a handler works with: the session's verbs act for the participant. */
export interface ParticipantContext<S> {
  readonly session: S;
  /** Who the participant is. */
  readonly me: string;
  readonly signal: AbortSignal;
}

/** Looks at where the session stands and does what is due, nothing where nothing is. Called after every message. */
export type Strategy<S> = (context: ParticipantContext<S>) => void | Promise<void>;

export interface ParticipantOptions<K extends ModeKey, S> {
  /** Who the participant is, as the runtime knows it. */
  me: string;
  /** By message type. The participant's own messages are left out. */
  on?: Handlers<K, ParticipantContext<S>>;
  strategies?: readonly Strategy<S>[];
  /** After a message that changed the projection's phase. */
  onPhase?: (phase: string, context: ParticipantContext<S>) => void | Promise<void>;
  /** Once, when the session has ended. */
  onEnd?: (ending: Ending, context: ParticipantContext<S>) => void | Promise<void>;
  /** Takes what a handler or strategy throws, and the run goes on. Default: `run` rejects with it. */
  onError?: (error: unknown, message: Envelope) => void;
  /** Ordinal of the last message that was handled, by an earlier run. Default: 0, from the first on. */
  after?: number;
}

/** One party to one session, driven by its messages. */
export interface Participant {
  /** Ordinal of the last message handled: give it to `after` to go on from there. */
  readonly cursor: number;
  /** Handles message after message until the session ends; resolves to how, or to undefined when it was stopped. */
  run(options?: { signal?: AbortSignal }): Promise<Ending | undefined>;
  /** Handles one message, as `run` does. */
  process(envelope: Envelope): Promise<void>;
  /** Ends `run` after the message that it is at. */
  stop(): void;
}

/** Messages are handled one after the other, each at least once across runs that pass the cursor on. */
export function createParticipant<K extends ModeKey, P extends Projection, S>(
  session: S & Session<K, P>,
  options: ParticipantOptions<K, S>,
): Participant {
  const { me, on = {}, strategies = [], onPhase, onEnd, onError } = options;
  const stopping = new AbortController();
  const dispatcher = createDispatcher<K, ParticipantContext<S>>(session.key, on);
  let context: ParticipantContext<S> = { session, me, signal: stopping.signal };
  let cursor = options.after ?? 0;
  let phase = "";

  async function process(envelope: Envelope): Promise<void> {
    try {
      if (envelope.sender !== me) await dispatcher.dispatch(envelope, context);
      const reached = session.projection.phase;
      if (reached !== phase) {
        phase = reached;
        await onPhase?.(phase, context);
      }
      for (const strategy of strategies) await strategy(context);
    } catch (error) {
      if (onError === undefined) throw error;
      onError(error, envelope);
    }
    cursor += 1;
  }

  return {
    get cursor() {
      return cursor;
    },
    process,
    stop: () => stopping.abort(),
    async run({ signal: ending } = {}) {
      const signal = ending ? AbortSignal.any([ending, stopping.signal]) : stopping.signal;
      context = { session, me, signal };
      try {
        for await (const envelope of session.messages({ after: cursor, signal })) {
          await process(envelope);
          if (signal.aborted) return undefined;
        }
      } catch (error) {
        if (signal.aborted && error === signal.reason) return undefined;
        throw error;
      }
      if (session.ending !== undefined) await onEnd?.(session.ending, context);
      return session.ending;
    },
  };
}
