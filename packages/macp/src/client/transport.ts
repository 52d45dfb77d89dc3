import type { MessageShape } from "@bufbuild/protobuf";
import type { Auth } from "../protocol/auth.ts";
import type {
  MACPRuntimeService,
  StreamSessionRequest,
  StreamSessionResponse,
} from "../generated/macp/v1/core_pb.ts";

export interface CallOptions {
  /** Who calls. Without it the call carries no credential. */
  readonly auth?: Auth | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds. Unary calls only: a stream has no deadline. */
  readonly timeoutMs?: number | undefined;
}

/** One StreamSession call. Iterating ends when the runtime ends it, and throws when it fails. */
export interface SessionStream extends AsyncIterable<StreamSessionResponse> {
  /** Resolves when the frame has been taken over; waits while the runtime does not read. */
  send(frame: StreamSessionRequest): Promise<void>;
  /** Half-close: nothing more is sent; what the runtime still has is delivered. */
  end(): void;
  /** Gives the call up at once. Iterating ends without an error. */
  cancel(): void;
}

type Methods = (typeof MACPRuntimeService)["method"];
type Request<K extends keyof Methods> = MessageShape<Methods[K]["input"]>;
type Response<K extends keyof Methods> = MessageShape<Methods[K]["output"]>;

interface Shapes<K extends keyof Methods> {
  unary: (request: Request<K>, options: CallOptions) => Promise<Response<K>>;
  server_streaming: (request: Request<K>, options: CallOptions) => AsyncIterable<Response<K>>;
  bidi_streaming: (options: CallOptions) => SessionStream;
}

/** The runtime's calls, named and typed by the generated service. */
export type RuntimeCalls = {
  readonly [K in keyof Methods]: Shapes<K>[Methods[K]["methodKind"]];
};

/**
 * How a client reaches a runtime. A failed call rejects with the error of `statusError`; a refused
 * message is no failed call but an Ack. Leaving an iteration early ends the call.
 */
export interface Transport {
  readonly calls: RuntimeCalls;
  close(): Promise<void>;
}

/** What `createMacpClient({ runtime })` takes: a runtime in this process. */
export interface LocalRuntime {
  /** A connection of its own; closing it leaves the runtime running. */
  connect(): Transport;
}
