import { create } from "@bufbuild/protobuf";
import { type Envelope, EnvelopeSchema } from "../generated/macp/v1/envelope_pb.ts";
import { macpVersion } from "./constants.ts";
import { newMessageId } from "./ids.ts";

export interface EnvelopeInit {
  /** Empty for Signals and for Progress outside of a session. */
  mode?: string;
  messageType: string;
  /** Empty for Signals and for Progress outside of a session. */
  sessionId?: string;
  /** Default: empty, and the runtime fills in who is authenticated. */
  sender?: string;
  /** Default: a new UUID. Repeating one makes the message a duplicate. */
  messageId?: string;
  /** Unix milliseconds. Default: now. A SessionStart's deadline counts from it. */
  timestampMs?: number;
  payload: Uint8Array;
}

export function toEnvelope(init: EnvelopeInit): Envelope {
  return create(EnvelopeSchema, {
    macpVersion,
    mode: init.mode ?? "",
    messageType: init.messageType,
    messageId: init.messageId ?? newMessageId(),
    sessionId: init.sessionId ?? "",
    sender: init.sender ?? "",
    timestampUnixMs: BigInt(init.timestampMs ?? Date.now()),
    payload: init.payload,
  });
}
