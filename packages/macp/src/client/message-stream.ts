import { create } from "@bufbuild/protobuf";
import type { AgentKeysError } from "@agentkeys/contract";
import { StreamSessionRequestSchema } from "../generated/macp/v1/core_pb.ts";
import type { Envelope } from "../generated/macp/v1/envelope_pb.ts";
import type { Auth } from "../protocol/auth.ts";
import { refusalError } from "../protocol/refusal.ts";
import { assertSender } from "./identity.ts";
import type { CallOptions, Transport } from "./transport.ts";

/** What a stream brings: accepted messages of everybody in the session, and refusals of what this side sent. */
export type StreamEvent =
  | { readonly type: "message"; readonly envelope: Envelope }
  | { readonly type: "refused"; readonly error: AgentKeysError };

/**
 * One StreamSession call, bound to the session that it is first used for. Iterating ends when the runtime ends it, and
 * throws when it fails; it is neither counted nor opened again.
 */
export interface MessageStream extends AsyncIterable<StreamEvent>, AsyncDisposable {
  /** Resolves when the message is on its way; what becomes of it is an event. A duplicate is none. */
  send(envelope: Envelope): Promise<void>;
  /** Asks for the accepted messages from the one after `after` on, SessionStart being 1. Default: 0, all. */
  subscribe(sessionId: string, after?: number): Promise<void>;
  /** Nothing more is sent; what is under way still comes. */
  end(): void;
  /** Gives the call up: iterating ends. */
  cancel(): void;
}

export function openMessageStream(transport: Transport, call: CallOptions): MessageStream {
  const stream = transport.calls.streamSession(call);
  const auth: Auth | undefined = call.auth;
  return {
    send: async (envelope) => {
      assertSender(envelope.sender, auth);
      await stream.send(create(StreamSessionRequestSchema, { envelope }));
    },
    subscribe: async (subscribeSessionId, after = 0) => {
      const frame = { subscribeSessionId, afterSequence: BigInt(after) };
      await stream.send(create(StreamSessionRequestSchema, frame));
    },
    end: () => stream.end(),
    cancel: () => stream.cancel(),
    async *[Symbol.asyncIterator]() {
      for await (const { response } of stream) {
        if (response.case === "envelope") yield { type: "message", envelope: response.value };
        if (response.case === "error")
          yield { type: "refused", error: refusalError(response.value) };
      }
    },
    [Symbol.asyncDispose]: async () => stream.cancel(),
  };
}
