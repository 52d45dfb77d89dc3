import { AgentKeysError } from "@agentkeys/contract";
import type { Operator } from "./auth.ts";
import { authenticate } from "./authenticate.ts";
import type { Exchange } from "../http/exchange.ts";
import { recordDenied } from "../audit/records.ts";
import type { Services } from "../services.ts";

/** The operator behind the bearer. An agent that tries its own token is recorded. Throws `unauthorized` or `forbidden`. */
export async function asOperator(services: Services, exchange: Exchange): Promise<Operator> {
  try {
    return services.tokens.operator(exchange.header("authorization"));
  } catch (error) {
    if (AgentKeysError.is(error, "forbidden")) {
      const what = `${exchange.method} ${exchange.path}`;
      const actor = actorOf(services, exchange);
      await recordDenied(services, { actor, what, reason: "not_an_operator" });
    }
    throw error;
  }
}

/** Whom the header names, where that vendor speaks for it: no vendor may write into another one's log. */
function actorOf(services: Services, exchange: Exchange): string {
  try {
    return authenticate(services, exchange).actor;
  } catch {
    return "";
  }
}

/** Whose records an operator sees: its own, or everybody's where no configuration file tells operators apart. */
export function horizon(services: Services, operator: Operator): string | undefined {
  return services.settings.actors === undefined ? undefined : operator.omni;
}
