import { clone, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import type { DescMethod } from "@bufbuild/protobuf";
import type { Envelope } from "../generated/macp/v1/envelope_pb.ts";
import type { StreamSessionRequest, StreamSessionResponse } from "../generated/macp/v1/core_pb.ts";

type Message = MessageShape<DescMessage>;
type Copy = (message: Message) => Message;

interface Copies {
  readonly request: Copy;
  readonly response: Copy;
}

/**
 * Copies of what crosses between two parts of one process, so that neither can change what the other keeps. Envelopes
 * have copies of their own: they are the traffic, and a copy by description costs more than the rest of the call.
 */
export function copiesFor({ localName, input, output }: DescMethod): Copies {
  return (
    fast[localName] ?? {
      request: (message) => clone(input, message),
      response: (message) => clone(output, message),
    }
  );
}

const copyEnvelope = (envelope: Envelope): Envelope => ({
  ...envelope,
  payload: envelope.payload.slice(),
});

/** Of a message whose field `envelope` may be an envelope. */
const withEnvelope = (message: Message): Message => {
  const { envelope } = message as Pick<StreamSessionRequest, "$typeName" | "envelope">;
  return envelope === undefined
    ? message
    : ({ ...message, envelope: copyEnvelope(envelope) } as Message);
};

const streamResponse = (message: Message): Message => {
  const { response } = message as StreamSessionResponse;
  if (response.case !== "envelope") return message;
  const value = copyEnvelope(response.value);
  return { ...message, response: { case: "envelope", value } } as Message;
};

/** Made for this call alone: nobody else has it. */
const asIs: Copy = (message) => message;

const fast: Readonly<Partial<Record<string, Copies>>> = {
  // The kernel takes its own copy of an envelope that it accepts.
  send: { request: asIs, response: asIs },
  streamSession: { request: asIs, response: streamResponse },
  watchSignals: { request: asIs, response: withEnvelope },
};
