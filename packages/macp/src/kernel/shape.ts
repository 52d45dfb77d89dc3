import { ProgressPayloadSchema, SignalPayloadSchema } from "../generated/macp/v1/core_pb.ts";
import { decodePayload } from "../modes/mode.ts";
import { macpVersion } from "../protocol/constants.ts";
import type { Envelope } from "./envelope.ts";
import { type Refusal, refuse } from "./refusal.ts";

/** What is wrong with an envelope whoever sends it, to whatever session. */
export function shapeProblem(envelope: Envelope, maxPayloadBytes: number): Refusal | undefined {
  if (envelope.macpVersion !== macpVersion) return refuse("InvalidMacpVersion");
  if (!isWord(envelope.messageType) || !isWord(envelope.messageId)) {
    return refuse("InvalidEnvelope");
  }
  if (!isPlaced(envelope)) return refuse("InvalidEnvelope");
  return envelope.payload.length > maxPayloadBytes ? refuse("PayloadTooLarge") : undefined;
}

/** Some databases, and some versions of the one that is used here, end a text at its first NUL. */
function isWord(text: string): boolean {
  return text !== "" && !text.includes("\0");
}

function isPlaced({ messageType, sessionId, mode }: Envelope): boolean {
  switch (messageType) {
    case "Signal":
      return sessionId === "" && mode === "";
    case "Progress":
      // Ambient, or of a session: never half of it.
      return (sessionId === "") === (mode === "");
    default:
      return sessionId !== "" && mode !== "";
  }
}

/** What is wrong with the payload of a Signal or Progress. An empty one says nothing and is fine. */
export function passingProblem({ messageType, payload }: Envelope): Refusal | undefined {
  if (payload.length === 0) return undefined;
  const inOrder =
    messageType === "Signal"
      ? decodePayload(SignalPayloadSchema, payload)?.signalType.trim()
      : decodePayload(ProgressPayloadSchema, payload);
  return inOrder ? undefined : refuse("InvalidPayload");
}
