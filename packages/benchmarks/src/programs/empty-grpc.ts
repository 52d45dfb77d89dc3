// The least that a gRPC server on grpc-js does: takes the bytes of a `Send`, answers an Ack of two.
import { Server, ServerCredentials, type UntypedHandleCall } from "@grpc/grpc-js";

const accepted = Buffer.of(0x0a, 2, 8, 1);
const asIs = (bytes: Buffer): Buffer => bytes;
const send: UntypedHandleCall = (_: unknown, answer: (error: null, bytes: Buffer) => void) =>
  answer(null, accepted);

const server = new Server({ "grpc.enable_channelz": 0 });
server.addService(
  {
    send: {
      path: "/macp.v1.MACPRuntimeService/Send",
      requestStream: false,
      responseStream: false,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    },
  },
  { send },
);
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  process.stdout.write(`${JSON.stringify({ url: `127.0.0.1:${port}` })}\n`);
});
process.stdin.resume().once("end", () => process.exit(0));
