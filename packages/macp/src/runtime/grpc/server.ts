import {
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Stream,
} from "node:http2";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { grpcStatus } from "../../protocol/error-codes.ts";
import { statusError } from "../../protocol/refusal.ts";
import { GrpcCall } from "./call.ts";
import { checkEncoding, credentialsOf, httpProblem, timeoutOf } from "./request-headers.ts";
import { type CallTerms, serveDuplex, serveStream, serveUnary } from "./call-kinds.ts";
import { type Method, runtimeMethods } from "./methods.ts";
import type { Handlers } from "../handlers.ts";
import { createHealth } from "./health.ts";
import { createPendingCalls } from "./pending-calls.ts";
import { createSessions } from "./sessions.ts";
import type { Address } from "../settings-reader.ts";

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

/** What all calls have in common. */
interface Served extends Pick<CallTerms, "limit" | "pending"> {
  readonly methods: ReadonlyMap<string, Method>;
}

/** What an envelope adds to its payload on the way. */
const FRAME_ALLOWANCE = 65_536;

/** The service and the standard health service on one port. Rejects when the address cannot be had. */
export async function serveGrpc(
  handlers: Handlers,
  options: GrpcServerOptions,
): Promise<GrpcServer> {
  const health = createHealth();
  const served: Served = {
    methods: new Map([...runtimeMethods(handlers), ...health.methods]),
    limit: options.maxPayloadBytes + FRAME_ALLOWANCE,
    pending: createPendingCalls(options.requestTimeout),
  };
  const sessions = createSessions();
  const take = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void => {
    // How a stream is broken off is what `close` is for; without a listener it would end the process.
    stream.on("error", () => {});
    const problem = httpProblem(headers);
    if (problem === undefined) serve(stream, headers, served);
    else stream.respond({ ":status": problem }, { endStream: true });
  };
  // By hand, because Node.js's own server hangs up on a TLS client that names no protocol.
  const server = openServer(options.tls, (socket) => {
    const session = performServerHandshake(socket, {
      settings: { maxConcurrentStreams: options.maxConcurrentStreams },
      // Streams and their windows are the limit.
      maxSessionMemory: Number.MAX_SAFE_INTEGER,
    });
    session.on("stream", take);
    sessions.add(session, socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.bind, resolve);
  });
  // A connection that cannot be taken is that client's loss.
  server.on("error", () => {});
  return {
    address: { host: options.bind.host, port: (server.address() as AddressInfo).port },
    async close(drain) {
      health.stop();
      server.close();
      await sessions.close(drain);
    },
  };
}

function openServer(tls: ServerTls | undefined, accept: (socket: Socket) => void): Server {
  if (tls === undefined) return createServer(accept);
  const { cert, key, clientCa } = tls;
  const clients = clientCa === undefined ? {} : { ca: Buffer.from(clientCa), requestCert: true };
  const pair = { cert: Buffer.from(cert), key: Buffer.from(key) };
  return createTlsServer({ ...pair, ...clients, ALPNProtocols: ["h2"] }, accept);
}

function serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, served: Served): void {
  const call = new GrpcCall(stream);
  try {
    const path = headers[":path"] ?? "";
    const method = served.methods.get(path);
    if (method === undefined) {
      const message = `there is no method ${path}`;
      throw statusError({ status: grpcStatus.UNIMPLEMENTED, message });
    }
    checkEncoding(headers);
    const { limit, pending } = served;
    const terms = { from: credentialsOf(headers), timeout: timeoutOf(headers), limit, pending };
    if (method.kind === "unary") serveUnary(call, method, terms);
    else if (method.kind === "server_streaming") serveStream(call, method, terms);
    else serveDuplex(call, method, terms);
  } catch (error) {
    call.fail(error);
  }
}
