import type { ClientDuplexStream } from "@grpc/grpc-js";
import type { SessionStream } from "../client/transport.ts";
import type { StreamSessionRequest, StreamSessionResponse } from "../generated/macp/v1/core_pb.ts";
import { grpcStatus } from "../protocol/error-codes.ts";
import { statusError } from "../protocol/refusal.ts";
import { receive, type ReceiveOptions } from "./grpc-received.ts";

export function openSessionStream(
  call: ClientDuplexStream<StreamSessionRequest, StreamSessionResponse>,
  options: ReceiveOptions,
): SessionStream {
  const { messages, cancel } = receive(call, options);
  const waiting = new Set<(reason: Error) => void>();
  let over = false;
  call.once("status", () => {
    over = true;
    for (const reject of waiting) reject(ended());
    waiting.clear();
  });
  return {
    async send(frame) {
      if (over || call.writableEnded) throw ended();
      await new Promise<void>((resolve, reject) => {
        waiting.add(reject);
        call.write(frame, (error: Error | null | undefined) => {
          waiting.delete(reject);
          if (error) reject(ended(error));
          else resolve();
        });
      });
    },
    end: () => void call.end(),
    cancel,
    [Symbol.asyncIterator]: () => messages,
  };
}

/** Why it ended is what reading the stream says. */
function ended(cause?: Error): Error {
  const message = "the stream has ended";
  return statusError({ status: grpcStatus.UNAVAILABLE, message, cause });
}
