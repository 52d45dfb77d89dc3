import type { MessageShape } from "@bufbuild/protobuf";
import type { MACPRuntimeService } from "../generated/macp/v1/core_pb.ts";
import type { Credentials } from "./auth/identity.ts";
import type { Downstream } from "./outbox.ts";

type Methods = (typeof MACPRuntimeService)["method"];
type Request<K extends keyof Methods> = MessageShape<Methods[K]["input"]>;
type Response<K extends keyof Methods> = MessageShape<Methods[K]["output"]>;

/** What a client's half of a bidirectional stream calls, in its order. */
export interface Upstream<T> {
  /** A promise: no more before it has settled. */
  frame(message: T): void | Promise<void>;
  /** Half-close. */
  end(): void;
}

interface Shapes<K extends keyof Methods> {
  unary: (request: Request<K>, from: Credentials) => Response<K> | Promise<Response<K>>;
  server_streaming: (
    request: Request<K>,
    from: Credentials,
    down: Downstream<Response<K>>,
  ) => void | Promise<void>;
  bidi_streaming: (from: Credentials, down: Downstream<Response<K>>) => Upstream<Request<K>>;
}

type Kind<K extends keyof Methods> = Methods[K]["methodKind"];

/** Every call of the service, without a transport. A call fails by throwing an error of `statusError`. */
export type Handlers = { readonly [K in keyof Methods]: Shapes<K>[Kind<K>] };

export type Part<K extends keyof Methods> = Pick<Handlers, K>;
