import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import {
  Metadata,
  type handleBidiStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  type ServerDuplexStream,
  type ServerWritableStream,
} from "@grpc/grpc-js";
import { AgentKeysError } from "@agentkeys/contract";
import { grpcStatus } from "../protocol/error-codes.ts";
import { statusOf } from "../protocol/refusal.ts";
import { detailsTrailer } from "../transports/grpc-failure.ts";
import type { Credentials } from "./auth/identity.ts";
import type { Upstream } from "./handlers.ts";
import type { Downstream } from "./outbox.ts";
import { createPendingCalls } from "./pending-calls.ts";

type Message = MessageShape<DescMessage>;

export type UnaryHandler = (request: Message, from: Credentials) => Message | Promise<Message>;
export type StreamHandler = (
  request: Message,
  from: Credentials,
  down: Downstream<Message>,
) => void | Promise<void>;
export type DuplexHandler = (from: Credentials, down: Downstream<Message>) => Upstream<Message>;

/** `timeout` in ms bounds what does not answer at once. */
export function unaryCalls(
  timeout: number,
): (handler: UnaryHandler) => handleUnaryCall<Message, Message> {
  const pending = createPendingCalls(timeout, toServiceError);
  return (handler) => (call, callback) => {
    try {
      const answer = handler(call.request, credentialsOf(call.metadata));
      if (answer instanceof Promise) void pending.wait(answer, callback);
      else callback(null, answer);
    } catch (error) {
      callback(toServiceError(error));
    }
  };
}

export function streamCall(handler: StreamHandler): handleServerStreamingCall<Message, Message> {
  return (call) => {
    const down = downstream(call);
    void (async () => {
      try {
        await handler(call.request, credentialsOf(call.metadata), down);
      } catch (error) {
        down.fail(error as Error);
      }
    })();
  };
}

export function duplexCall(handler: DuplexHandler): handleBidiStreamingCall<Message, Message> {
  return (call) => {
    const up = handler(credentialsOf(call.metadata), downstream(call));
    call.on("data", (message: Message) => {
      const later = up.frame(message);
      if (later === undefined) return;
      call.pause();
      void later.finally(() => call.resume());
    });
    call.on("end", () => up.end());
  };
}

type Writable = ServerWritableStream<Message, Message> | ServerDuplexStream<Message, Message>;

function downstream(call: Writable): Downstream<Message> {
  let closed = false;
  const listeners = new Set<() => void>();
  const close = (): void => {
    if (closed) return;
    closed = true;
    for (const listener of listeners) listener();
    listeners.clear();
  };
  // A call ends by itself, by the client's cancellation or by a broken connection; which of these events come differs.
  for (const event of ["cancelled", "finish", "close"]) call.on(event, close);
  call.on("error", close);
  return {
    write: (message) => !closed && call.write(message),
    end() {
      if (!closed) call.end();
    },
    fail(error) {
      if (!closed) call.emit("error", toServiceError(error));
      close();
    },
    onDrain: (listener) => void call.on("drain", listener),
    onClose(listener) {
      if (closed) listener();
      else listeners.add(listener);
    },
  };
}

function credentialsOf(metadata: Metadata): Credentials {
  return {
    authorization: headerOf(metadata, "authorization"),
    token: headerOf(metadata, "x-macp-token"),
  };
}

function headerOf(metadata: Metadata, name: string): string | undefined {
  const value = metadata.get(name)[0];
  return typeof value === "string" ? value : undefined;
}

/** What grpc-js puts on the wire. An error without a status is ours and says nothing about itself. */
function toServiceError(error: unknown): {
  code: number;
  details: string;
  message: string;
  name: string;
  metadata: Metadata;
} {
  const metadata = new Metadata();
  const status = statusOf(error);
  if (status === undefined || !AgentKeysError.is(error)) {
    const details = "internal error";
    return { code: grpcStatus.INTERNAL, details, message: details, name: "Error", metadata };
  }
  const reasons = error.data?.["reasons"];
  if (reasons !== undefined) metadata.set(detailsTrailer, Buffer.from(JSON.stringify({ reasons })));
  const { message } = error;
  return { code: status, details: message, message, name: "Error", metadata };
}
