import {
  type handleBidiStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  Server,
  ServerCredentials,
} from "@grpc/grpc-js";
import type { MessageShape } from "@bufbuild/protobuf";
import type { MACPRuntimeService } from "../generated/macp/v1/core_pb.ts";
import { detailsTrailer } from "./grpc-details.ts";
import { grpcService } from "./grpc-service.ts";

type Methods = (typeof MACPRuntimeService)["method"];
type In<K extends keyof Methods> = MessageShape<Methods[K]["input"]>;
type Out<K extends keyof Methods> = MessageShape<Methods[K]["output"]>;

/** What a made-up runtime answers, method by method; what is left out is UNIMPLEMENTED. */
export type Script = {
  [K in keyof Methods]?: {
    unary: handleUnaryCall<In<K>, Out<K>>;
    server_streaming: handleServerStreamingCall<In<K>, Out<K>>;
    bidi_streaming: handleBidiStreamingCall<In<K>, Out<K>>;
  }[Methods[K]["methodKind"]];
};

export interface ScriptedRuntime extends AsyncDisposable {
  readonly target: string;
}

/** A gRPC server with the real service and made-up answers: for failures that no healthy runtime shows. */
export async function scriptedRuntime(
  script: Script,
  { target = "127.0.0.1:0", credentials = ServerCredentials.createInsecure() } = {},
): Promise<ScriptedRuntime> {
  const server = new Server();
  server.addService(grpcService, script);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(target, credentials, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return {
    target: `127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => server.forceShutdown(),
  };
}

/** A gRPC failure as a handler gives it back. */
export function failure(code: number, message: string, reasons?: readonly string[]) {
  const metadata = new Metadata();
  if (reasons !== undefined) {
    metadata.set(detailsTrailer, Buffer.from(JSON.stringify({ reasons })));
  }
  return Object.assign(new Error(message), { code, details: message, metadata });
}

/** A promise and the way to settle it. */
export function deferred<T = void>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
