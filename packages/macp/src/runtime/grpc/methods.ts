import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { MACPRuntimeService } from "../../generated/macp/v1/core_pb.ts";
import { grpcStatus } from "../../protocol/error-codes.ts";
import { statusError } from "../../protocol/refusal.ts";
import type { Credentials } from "../auth/identity.ts";
import type { Handlers, Upstream } from "../handlers.ts";
import type { Downstream } from "../outbox.ts";
import { readSendRequest, writeSendResponse } from "./send-codec.ts";

/** One method as it is served. Messages are whatever its codec makes and takes. */
export type Method<I = unknown, O = unknown> =
  | UnaryMethod<I, O>
  | StreamMethod<I, O>
  | DuplexMethod<I, O>;

interface Codec<I, O> {
  /** Throws what the call fails with. */
  decode(bytes: Buffer): I;
  encode(message: O): Uint8Array;
}

export interface UnaryMethod<I = unknown, O = unknown> extends Codec<I, O> {
  readonly kind: "unary";
  handler(request: I, from: Credentials): O | Promise<O>;
}

export interface StreamMethod<I = unknown, O = unknown> extends Codec<I, O> {
  readonly kind: "server_streaming";
  handler(request: I, from: Credentials, down: Downstream<O>): void | Promise<void>;
}

export interface DuplexMethod<I = unknown, O = unknown> extends Codec<I, O> {
  readonly kind: "bidi_streaming";
  handler(from: Credentials, down: Downstream<O>): Upstream<I>;
}

/** The service's methods by their paths. */
export function runtimeMethods(handlers: Handlers): ReadonlyMap<string, Method> {
  return new Map(
    MACPRuntimeService.methods.map(({ name, localName, methodKind: kind, input, output }) => {
      const handler: unknown = handlers[localName as keyof Handlers];
      const codec = localName === "send" ? sendCodec : codecOf(input, output);
      return [`/${MACPRuntimeService.typeName}/${name}`, { kind, handler, ...codec } as Method];
    }),
  );
}

/** The traffic: a codec by description costs more than judging the message. */
const sendCodec = { decode: decoding(readSendRequest), encode: writeSendResponse };

type Message = MessageShape<DescMessage>;

function codecOf(input: DescMessage, output: DescMessage): Codec<Message, Message> {
  return {
    // Through a plain view, so that `bytes` fields are Uint8Arrays and no Buffers.
    decode: decoding((bytes) =>
      fromBinary(input, new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)),
    ),
    encode: (message) => toBinary(output, message),
  };
}

function decoding<T>(read: (bytes: Buffer) => T): (bytes: Buffer) => T {
  return (bytes) => {
    try {
      return read(bytes);
    } catch (cause) {
      const message = "the request cannot be decoded";
      throw statusError({ status: grpcStatus.INTERNAL, message, cause });
    }
  };
}
