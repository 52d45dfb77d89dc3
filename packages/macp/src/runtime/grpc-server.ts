import {
  Server,
  ServerCredentials,
  type UntypedHandleCall,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { grpcService } from "../transports/grpc-service.ts";
import {
  duplexCall,
  streamCall,
  unaryCalls,
  type DuplexHandler,
  type StreamHandler,
  type UnaryHandler,
} from "./grpc-call.ts";
import { createHealth, healthService } from "./health.ts";
import type { Handlers } from "./handlers.ts";
import type { Address } from "./settings-reader.ts";

/** PEM. */
export interface ServerTls {
  cert: string | Uint8Array;
  key: string | Uint8Array;
  /** Who signs clients' certificates. With it a client without one does not get in (mutual TLS). */
  clientCa?: string | Uint8Array;
}

export interface GrpcServerOptions {
  readonly bind: Address;
  /** Without it the port speaks plaintext HTTP/2. */
  readonly tls: ServerTls | undefined;
  readonly maxPayloadBytes: number;
  readonly maxConcurrentStreams: number;
  /** ms that a unary call may take. */
  readonly requestTimeout: number;
}

export interface GrpcServer {
  readonly address: Address;
  /** Takes no new calls and waits `drain` ms for the open ones; resolves at once when there are none. */
  close(drain: number): Promise<void>;
}

/** What an envelope adds to its payload on the way. */
const FRAME_ALLOWANCE = 65_536;

/** The service and the standard health service on one port. Rejects when the address cannot be had. */
export async function serveGrpc(
  handlers: Handlers,
  options: GrpcServerOptions,
): Promise<GrpcServer> {
  const server = new Server({
    "grpc.max_receive_message_length": options.maxPayloadBytes + FRAME_ALLOWANCE,
    "grpc.max_send_message_length": -1,
    "grpc.max_concurrent_streams": options.maxConcurrentStreams,
    // Bookkeeping for a service that is not offered.
    "grpc.enable_channelz": 0,
  });
  const health = createHealth();
  server.addService(grpcService, implementation(handlers, options));
  server.addService(healthService, health.implementation);
  const port = await new Promise<number>((resolve, reject) => {
    const { host, port: wanted } = options.bind;
    const name = host.includes(":") ? `[${host}]` : host;
    server.bindAsync(`${name}:${wanted}`, serverCredentials(options.tls), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return {
    address: { host: options.bind.host, port },
    async close(drain) {
      health.stop();
      let timer: NodeJS.Timeout | undefined;
      const drained = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
      const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, drain)));
      await Promise.race([drained, late]);
      clearTimeout(timer);
      server.forceShutdown();
    },
  };
}

function serverCredentials(tls: ServerTls | undefined): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure();
  const { cert, key, clientCa } = tls;
  const pair = { cert_chain: Buffer.from(cert), private_key: Buffer.from(key) };
  const roots = clientCa === undefined ? null : Buffer.from(clientCa);
  return ServerCredentials.createSsl(roots, [pair], roots !== null);
}

function implementation(
  handlers: Handlers,
  options: GrpcServerOptions,
): UntypedServiceImplementation {
  const unary = unaryCalls(options.requestTimeout);
  const entries = Object.entries(handlers).map(([name, handler]): [string, UntypedHandleCall] => {
    const { requestStream, responseStream } = grpcService[name as keyof Handlers];
    // Each handler takes the message type of its own method; grpc-js hands over what that method's codec made.
    if (requestStream) return [name, duplexCall(handler as unknown as DuplexHandler)];
    if (responseStream) return [name, streamCall(handler as unknown as StreamHandler)];
    return [name, unary(handler as unknown as UnaryHandler)];
  });
  return Object.fromEntries(entries);
}
