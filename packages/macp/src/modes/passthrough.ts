import { CommitmentPayloadSchema } from "../generated/macp/v1/core_pb.ts";
import type { Envelope } from "../kernel/envelope.ts";
import { type Refusal, refuse } from "../kernel/refusal.ts";
import { terminalMessageType } from "../protocol/mode-table.ts";
import { contradicts } from "./commitment.ts";
import { type Change, decodePayload, type Mode } from "./mode.ts";
import type { SessionTerms } from "./session-terms.ts";

/** A mode that was registered at run time: its messages are carried, and the last payload is its state. */
export function passthrough(messageTypes: readonly string[]): Mode {
  const carried = new Set(messageTypes.filter((type) => type !== "SessionStart"));
  return {
    open(terms) {
      let state: Uint8Array = new Uint8Array(0);
      return {
        judge(envelope) {
          const refusal = mayNotSend(terms, envelope);
          if (refusal !== undefined) return refusal;
          if (!carried.has(envelope.messageType)) return refuse("InvalidPayload");
          if (envelope.messageType === terminalMessageType) return judgeEnd(terms, envelope);
          return { ok: true, apply: () => void (state = envelope.payload) };
        },
        snapshot: () => [...state],
      };
    },
  };
}

function mayNotSend(
  { initiator, participants, members }: SessionTerms,
  { messageType, sender }: Envelope,
): Refusal | undefined {
  const allowed =
    messageType === terminalMessageType
      ? sender === initiator
      : participants.length === 0 || members.has(sender);
  return allowed ? undefined : refuse("Forbidden");
}

function judgeEnd(terms: SessionTerms, { payload: bytes }: Envelope): Refusal | Change {
  const payload = decodePayload(CommitmentPayloadSchema, bytes);
  if (payload === undefined || contradicts(terms, payload)) return refuse("InvalidPayload");
  const resolution = { action: payload.action, commitment_id: payload.commitmentId };
  return {
    ok: true,
    apply: () => {},
    resolution: new TextEncoder().encode(JSON.stringify(resolution)),
  };
}
