import type { StreamSessionRequest } from "../generated/macp/v1/core_pb.ts";
import { unauthenticatedError } from "./access.ts";
import type { Identity } from "./auth/identity.ts";
import type { Part } from "./handlers.ts";
import type { ServiceContext } from "./service-context.ts";
import { BoundStream } from "./session-stream.ts";

/** The caller is looked at once, when the stream opens. */
export function streamCalls(context: ServiceContext): Part<"streamSession"> {
  return {
    streamSession(from, down) {
      let stream: BoundStream | undefined;
      const early: StreamSessionRequest[] = [];
      let ended = false;
      const open = (identity: Identity | undefined): void => {
        if (identity === undefined) {
          down.fail(unauthenticatedError());
          return;
        }
        stream = new BoundStream(context, identity, down);
        down.ready();
        for (const frame of early) void stream.frame(frame);
        if (ended) stream.end();
      };
      const identity = context.authenticate(from);
      const opening = identity instanceof Promise ? identity.then(open) : open(identity);
      return {
        frame(frame) {
          if (stream !== undefined) return stream.frame(frame);
          early.push(frame);
          return opening;
        },
        end() {
          ended = true;
          stream?.end();
        },
      };
    },
  };
}
