import { AgentKeysError } from "@agentkeys/contract";
import { serveGrpc, type ServerTls } from "./grpc/server.ts";
import type { Handlers } from "./handlers.ts";

export interface ListenOptions {
  /** An IP address. Default 127.0.0.1. */
  host?: string;
  /** Default 0: any free one. */
  port?: number;
  tls?: ServerTls;
  /** Needed to listen without `tls`, or without `auth`: on a network everybody could then be anybody. Default false. */
  allowInsecure?: boolean;
  /** Streams and calls that one connection may have open. Default 128. */
  maxConcurrentStreams?: number;
  /** How long a unary call may take, ms. Default 30_000. */
  requestTimeoutMs?: number;
}

export interface Listener {
  /** `address:port`, as a client's `target`. */
  readonly target: string;
  readonly port: number;
  /** Takes no new calls; open ones have `drainMs` to end. Default 0. */
  close(options?: { drainMs?: number }): Promise<void>;
}

interface Served extends ListenOptions {
  readonly guarded: boolean;
  readonly maxPayloadBytes: number;
}

/** Loads gRPC; nothing before this does. */
export async function listen(handlers: Handlers, options: Served): Promise<Listener> {
  const { host = "127.0.0.1", port = 0, tls, allowInsecure = false } = options;
  if (!options.guarded && !allowInsecure) {
    throw new AgentKeysError("config_invalid", "no authentication configured");
  }
  if (tls === undefined && !allowInsecure) {
    throw new AgentKeysError("config_invalid", "TLS is required");
  }
  const server = await serveGrpc(handlers, {
    bind: { host, port },
    tls,
    maxPayloadBytes: options.maxPayloadBytes,
    maxConcurrentStreams: options.maxConcurrentStreams ?? 128,
    requestTimeout: options.requestTimeoutMs ?? 30_000,
  });
  const name = host.includes(":") ? `[${host}]` : host;
  return {
    target: `${name}:${server.address.port}`,
    port: server.address.port,
    close: ({ drainMs = 0 } = {}) => server.close(drainMs),
  };
}
