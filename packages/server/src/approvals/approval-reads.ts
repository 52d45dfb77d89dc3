import { AgentKeysError } from "@agentkeys/contract";
import { knownActor, refuseRevoked } from "../access/admission.ts";
import { authenticate } from "../access/authenticate.ts";
import { cursorOf, feedReply } from "../audit/event-feed.ts";
import type { Exchange, Route } from "../http/exchange.ts";
import { jsonReply } from "../http/exchange.ts";
import { horizon } from "../access/operator.ts";
import type { Services } from "../services.ts";
import { approvalSource } from "./approval-feed.ts";
import { pageOf } from "./approval-page.ts";
import type { ApprovalFilter } from "./approval-store.ts";
import { expireOverdue } from "./expire.ts";

/** Approvals in one answer. */
export const LIST_LIMIT = 100;
const MOST = 1000;
/** Streams that one actor may hold open. Whoever gets none asks again and again. */
const STREAM_LIMIT = 256;

interface Reader {
  readonly reader: "operator" | "actor";
  /** Whose approvals are shown. */
  readonly only: Pick<ApprovalFilter, "actor" | "operator_omni">;
}

/** An operator, or an agent that reads its own. */
function readerOf(services: Services, exchange: Exchange): Reader {
  try {
    const operator = services.tokens.operator(exchange.header("authorization"));
    return { reader: "operator", only: { operator_omni: horizon(services, operator) } };
  } catch (error) {
    if (!AgentKeysError.is(error, "forbidden")) throw error;
  }
  const caller = authenticate(services, exchange);
  const actor = knownActor(services, caller, caller.actor);
  refuseRevoked(services, actor);
  return { reader: "actor", only: { actor: actor.id } };
}

const fields = ["tool", "call_id", "run_key", "input_digest"] as const;

function filterOf(query: URLSearchParams, only: Reader["only"]): ApprovalFilter {
  const given = fields.flatMap((name) => {
    const value = query.get(name);
    return value === null ? [] : [[name, name === "input_digest" ? value.toLowerCase() : value]];
  });
  const actor = query.get("actor")?.toLowerCase();
  // What a reader may see is not widened by what it asks for.
  return { actor, ...(Object.fromEntries(given) as ApprovalFilter), ...only };
}

/** `GET /v1/approvals`: in the order of asking, after the approval `?after=`. */
export function listRoute(services: Services): Route {
  return async (exchange) => {
    const { reader, only } = readerOf(services, exchange);
    const query = new URLSearchParams(exchange.query);
    const status = query.get("status") ?? undefined;
    const limit = limitOf(query.get("limit"));
    const after = query.get("after") ?? undefined;
    await expireOverdue(services);
    const filter = { ...filterOf(query, only), status };
    const approvals = await pageOf(services, reader, { filter, after, limit });
    return jsonReply(200, JSON.stringify({ approvals }));
  };
}

function limitOf(text: string | null): number {
  if (text === null) return LIST_LIMIT;
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= MOST) return limit;
  throw new AgentKeysError("invalid_params", `limit: not a number from 1 to ${MOST}`);
}

/** `GET /v1/approvals/stream`: what is pending, then `ready`, then every change; after `Last-Event-ID` or `?after=` changes alone. */
export function feedRoute(services: Services): Route {
  const open = new Map<string, number>();
  const count = (actor: string, by: 1 | -1) => {
    const n = (open.get(actor) ?? 0) + by;
    if (n === 0) open.delete(actor);
    else open.set(actor, n);
  };
  return async (exchange) => {
    const { reader, only } = readerOf(services, exchange);
    const filter = filterOf(new URLSearchParams(exchange.query), only);
    const after = cursorOf(exchange);
    await expireOverdue(services);
    const source = approvalSource(services, { after, filter, reader });
    const { actor } = only;
    if (actor === undefined) return feedReply(services, source);
    if ((open.get(actor) ?? 0) >= STREAM_LIMIT)
      throw new AgentKeysError("rate_limited", `${STREAM_LIMIT} streams of this actor are open`);
    return feedReply(services, {
      ...source,
      subscribe(wake) {
        const unsubscribe = source.subscribe(wake);
        count(actor, 1);
        return () => {
          unsubscribe();
          count(actor, -1);
        };
      },
    });
  };
}
