import { knownActor } from "./admission.ts";
import type { Caller } from "./auth.ts";
import { actorHeader } from "./auth.ts";
import type { Exchange } from "../http/exchange.ts";
import type { Services } from "../services.ts";

/** Bearer first, then the actor header, then whether that vendor speaks for that actor. Throws `unauthorized` or `forbidden`. */
export function authenticate(services: Services, exchange: Pick<Exchange, "header">): Caller {
  const vendor = services.tokens.vendor(exchange.header("authorization"));
  const actor = actorHeader(exchange.header("x-agentkeys-actor"));
  const caller = { vendor, actor, local: false };
  knownActor(services, caller, actor);
  return caller;
}
