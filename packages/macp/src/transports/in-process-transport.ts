import type { DescMessage, DescMethod, MessageShape } from "@bufbuild/protobuf";
import type { CallOptions, RuntimeCalls, Transport } from "../client/transport.ts";
import { MACPRuntimeService } from "../generated/macp/v1/core_pb.ts";
import { type Auth, authorizationOf } from "../protocol/auth.ts";
import { grpcStatus } from "../protocol/error-codes.ts";
import { statusError } from "../protocol/refusal.ts";
import type { Credentials } from "../runtime/auth/identity.ts";
import type { Handlers, Upstream } from "../runtime/handlers.ts";
import type { Downstream } from "../runtime/outbox.ts";
import { copiesFor } from "./in-process-copy.ts";
import { createPipe, type Pipe } from "./in-process-pipe.ts";
import { settle } from "./in-process-unary.ts";

type Message = MessageShape<DescMessage>;

interface AnyHandler {
  unary: (request: Message, from: Credentials) => Message | Promise<Message>;
  server_streaming: (
    request: Message,
    from: Credentials,
    down: Downstream<Message>,
  ) => void | Promise<void>;
  bidi_streaming: (from: Credentials, down: Downstream<Message>) => Upstream<Message>;
}

/** The streams of one connection. */
interface Connection {
  readonly pipes: Set<Pipe<Message>>;
  closed: boolean;
}

/** A connection to a runtime in this process: no socket and no codec. */
export function createInProcessTransport(handlers: Handlers): Transport {
  const connection: Connection = { pipes: new Set(), closed: false };
  const calls = MACPRuntimeService.methods.map((method) => {
    const handler: unknown = handlers[method.localName as keyof Handlers];
    const { methodKind: kind } = method as { methodKind: keyof AnyHandler };
    // Each caller takes and gives the messages of its own method; the table of handlers says which.
    const caller = callers[kind] as (m: DescMethod, h: unknown, c: Connection) => unknown;
    return [method.localName, caller(method, handler, connection)];
  });
  return {
    calls: Object.fromEntries(calls) as RuntimeCalls,
    async close() {
      connection.closed = true;
      for (const pipe of connection.pipes) pipe.cancel({});
    },
  };
}

const callers = {
  unary: (method: DescMethod, handler: AnyHandler["unary"], connection: Connection) => {
    const { request: copyIn, response: copyOut } = copiesFor(method);
    return async (request: Message, call: CallOptions) => {
      checkOpen(connection);
      call.signal?.throwIfAborted();
      return copyOut(await settle(handler(copyIn(request), from(call)), call));
    };
  },
  server_streaming: (
    method: DescMethod,
    handler: AnyHandler["server_streaming"],
    connection: Connection,
  ) => {
    const { request: copyIn, response: copyOut } = copiesFor(method);
    return (request: Message, call: CallOptions) => {
      const pipe = openPipe(connection, copyOut, call);
      const started = async (): Promise<void> => handler(copyIn(request), from(call), pipe.down);
      started().catch((error: Error) => pipe.down.fail(error));
      return pipe.messages;
    };
  },
  bidi_streaming: (
    method: DescMethod,
    handler: AnyHandler["bidi_streaming"],
    connection: Connection,
  ) => {
    const { request: copyIn, response: copyOut } = copiesFor(method);
    return (call: CallOptions) => {
      const pipe = openPipe(connection, copyOut, call);
      const up = handler(from(call), pipe.down);
      return {
        async send(frame: Message) {
          if (!connection.pipes.has(pipe)) throw unavailable("the stream has ended");
          await up.frame(copyIn(frame));
        },
        end: () => up.end(),
        cancel: () => pipe.cancel({}),
        [Symbol.asyncIterator]: () => pipe.messages,
      };
    };
  },
};

function openPipe(
  connection: Connection,
  copyOut: (message: Message) => Message,
  { signal }: CallOptions,
): Pipe<Message> {
  checkOpen(connection);
  const pipe = createPipe(copyOut);
  const abort = (): void => pipe.cancel({ error: signal?.reason });
  connection.pipes.add(pipe);
  pipe.down.onClose(() => {
    connection.pipes.delete(pipe);
    signal?.removeEventListener("abort", abort);
  });
  if (signal?.aborted) abort();
  else signal?.addEventListener("abort", abort);
  return pipe;
}

function checkOpen({ closed }: Connection): void {
  if (closed) throw unavailable("the connection is closed");
}

/** Made once for each credential. */
const headers = new WeakMap<Auth, Credentials>();

function from({ auth }: CallOptions): Credentials {
  if (auth === undefined) return {};
  const credentials = headers.get(auth) ?? { authorization: authorizationOf(auth) };
  headers.set(auth, credentials);
  return credentials;
}

function unavailable(message: string): Error {
  return statusError({ status: grpcStatus.UNAVAILABLE, message });
}
