import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { Client, ClientDuplexStream } from "@grpc/grpc-js";
import type { CallOptions, RuntimeCalls, SessionStream, Transport } from "../client/transport.ts";
import type { StreamSessionRequest, StreamSessionResponse } from "../generated/macp/v1/core_pb.ts";
import { grpcStatus } from "../protocol/error-codes.ts";
import { statusError } from "../protocol/refusal.ts";
import { type GrpcTarget, toChannel } from "./grpc-channel.ts";
import { type Connection, type Connections, createConnections } from "./grpc-connections.ts";
import { credentials, toFailure } from "./grpc-failure.ts";
import { receive } from "./grpc-received.ts";
import { type GrpcMethod, grpcService } from "./grpc-service.ts";
import { openSessionStream } from "./grpc-session-stream.ts";

type Message = MessageShape<DescMessage>;

/** A connection to a runtime over gRPC. Nothing is connected before the first call. */
export function createGrpcTransport(options: GrpcTarget): Transport {
  const connections = createConnections(toChannel(options));
  let closed = false;
  const usable = (): Connections => {
    if (!closed) return connections;
    const message = "the connection is closed";
    throw statusError({ status: grpcStatus.UNAVAILABLE, message });
  };
  const caller = (method: GrpcMethod): unknown => {
    if (method.requestStream) {
      return (call: CallOptions) => duplex(usable().forStream(), method, call);
    }
    if (method.responseStream) {
      return (request: Message, call: CallOptions) =>
        watch(usable().forStream(), method, { request, call });
    }
    return async (request: Message, call: CallOptions) =>
      unary(usable().first.client, method, { request, call });
  };
  const calls = Object.entries(grpcService).map(([name, method]) => [name, caller(method)]);
  return {
    calls: Object.fromEntries(calls) as RuntimeCalls,
    async close() {
      closed = true;
      connections.close();
    },
  };
}

interface Request {
  readonly request: Message;
  readonly call: CallOptions;
}

async function unary(
  client: Client,
  method: GrpcMethod,
  { request, call: { auth, signal, timeoutMs } }: Request,
): Promise<Message> {
  signal?.throwIfAborted();
  let abort: (() => void) | undefined;
  try {
    return await new Promise((resolve, reject) => {
      const sent = client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        credentials(auth),
        timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs },
        (error, response) => {
          if (response !== undefined) resolve(response);
          else reject(signal?.aborted ? signal.reason : toFailure(error));
        },
      );
      abort = () => sent.cancel();
      signal?.addEventListener("abort", abort);
    });
  } finally {
    if (abort !== undefined) signal?.removeEventListener("abort", abort);
  }
}

function watch(
  { client, open }: Connection,
  method: GrpcMethod,
  { request, call }: Request,
): AsyncIterable<Message> {
  const readable = client.makeServerStreamRequest(
    method.path,
    method.requestSerialize,
    method.responseDeserialize,
    request,
    credentials(call.auth),
  );
  return receive(readable, { signal: call.signal, open }).messages;
}

function duplex(
  { client, open }: Connection,
  method: GrpcMethod,
  call: CallOptions,
): SessionStream {
  const stream = client.makeBidiStreamRequest(
    method.path,
    method.requestSerialize,
    method.responseDeserialize,
    credentials(call.auth),
  );
  // The one method of this kind is StreamSession.
  const typed = stream as unknown as ClientDuplexStream<
    StreamSessionRequest,
    StreamSessionResponse
  >;
  return openSessionStream(typed, { signal: call.signal, open });
}
