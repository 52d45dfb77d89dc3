import type { Handlers } from "./handlers.ts";
import { handshakeCalls } from "./handshake.ts";
import { modeCalls } from "./mode-calls.ts";
import { policyCalls } from "./policy-calls.ts";
import { sendCalls } from "./send.ts";
import type { ServiceContext } from "./service-context.ts";
import { sessionCalls } from "./session-calls.ts";
import { streamCalls } from "./stream-calls.ts";
import { watchCalls } from "./watch-calls.ts";

/** All calls of a runtime: what gRPC serves, and what a client in this process calls. */
export function createService(context: ServiceContext): Handlers {
  return {
    ...handshakeCalls(context),
    ...sendCalls(context),
    ...streamCalls(context),
    ...sessionCalls(context),
    ...modeCalls(context),
    ...policyCalls(context),
    ...watchCalls(context),
  };
}
