import type { CommitmentPayload } from "../generated/macp/v1/core_pb.ts";
import type { Envelope } from "../generated/macp/v1/envelope_pb.ts";
import { modeTable, type ModeKey, terminalMessageType } from "../protocol/mode-table.ts";
import { decodeCorePayload, decodeMessage, decodePayload } from "../protocol/payload.ts";
import type { Received, ModeReducer, Oddity, SessionFacts } from "./mode-reducer.ts";

/** One session as far as it has been read. */
export interface History<S> {
  readonly facts: SessionFacts;
  readonly state: S;
  readonly commitment: CommitmentPayload | undefined;
}

export const emptyHistory = <K extends ModeKey, S>({
  initial: state,
}: ModeReducer<K, S>): History<S> => ({
  facts: { initiator: "", participants: [], start: undefined },
  state,
  commitment: undefined,
});

export const isOddity = (answer: unknown): answer is Oddity =>
  typeof answer === "object" && answer !== null && "anomaly" in answer;

type Step<S> = (state: S, message: Received<unknown>, facts: SessionFacts) => S | Oddity;

function take<K extends ModeKey, S>(
  reducer: ModeReducer<K, S>,
  history: History<S>,
  { messageType, payload: bytes, sender }: Envelope,
): History<S> | Oddity | undefined {
  if (messageType === "SessionStart") {
    const start = decodeCorePayload("SessionStart", bytes);
    return { ...history, facts: { initiator: sender, participants: start.participants, start } };
  }
  if (messageType === terminalMessageType) {
    const commitment = decodePayload("decision", "Commitment", bytes);
    return {
      ...history,
      commitment,
      state: reducer.onCommitment?.(history.state) ?? history.state,
    };
  }
  const steps = reducer.on as unknown as Readonly<Record<string, Step<S>>>;
  const step = Object.hasOwn(steps, messageType) ? steps[messageType] : undefined;
  if (step === undefined) return undefined;
  const payload = decodeMessage(modeTable[reducer.mode].mode, messageType, bytes);
  const state = step(history.state, { payload, sender }, history.facts);
  return isOddity(state) ? state : { ...history, state };
}

/** The history with one more message, an oddity, or undefined for a message type that the mode does not have. */
export function read<K extends ModeKey, S>(
  reducer: ModeReducer<K, S>,
  history: History<S>,
  envelope: Envelope,
): History<S> | Oddity | undefined {
  try {
    return take(reducer, history, envelope);
  } catch (error) {
    const detail = error instanceof Error ? error.message : "not readable";
    return { anomaly: "undecodable_payload", subjectId: "", detail };
  }
}
