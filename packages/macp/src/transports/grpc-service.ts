import { type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import type { MethodDefinition } from "@grpc/grpc-js";
import { MACPRuntimeService } from "../generated/macp/v1/core_pb.ts";

type Message = MessageShape<DescMessage>;
type Methods = (typeof MACPRuntimeService)["method"];

/** One method as both ends of gRPC want it. */
export type GrpcMethod = MethodDefinition<Message, Message>;

/** The generated service in the form that `@grpc/grpc-js` serves and calls, by the methods' names in TypeScript. */
export const grpcService = Object.fromEntries(
  MACPRuntimeService.methods.map(({ localName, name, methodKind, input, output }) => [
    localName,
    {
      path: `/${MACPRuntimeService.typeName}/${name}`,
      originalName: localName,
      requestStream: methodKind === "bidi_streaming",
      responseStream: methodKind !== "unary",
      requestSerialize: serializer(input),
      requestDeserialize: deserializer(input),
      responseSerialize: serializer(output),
      responseDeserialize: deserializer(output),
    },
  ]),
) as Readonly<Record<keyof Methods, GrpcMethod>>;

function serializer(schema: DescMessage): (message: Message) => Buffer {
  return (message) => {
    const bytes = toBinary(schema, message);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
}

/** Through a plain view, so that `bytes` fields are Uint8Arrays and no Buffers. */
function deserializer(schema: DescMessage): (bytes: Buffer) => Message {
  return (bytes) =>
    fromBinary(schema, new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}
