import { AgentKeysError, errorTable } from "@agentkeys/contract";
import type { Exchange, Reply, Route } from "./exchange.ts";
import { emptyReply, errorReply } from "./exchange.ts";
import type { Services } from "../services.ts";

export interface Endpoint {
  /** At most one segment is a parameter: `*`. */
  readonly path: string;
  readonly routes: Readonly<Partial<Record<"GET" | "POST", Route>>>;
}

export type Dispatch = (exchange: Exchange) => Promise<Reply>;

/** The one way in, for a socket as for a call in process. Never rejects. */
export function createDispatch(services: Services, endpoints: readonly Endpoint[]): Dispatch {
  const exact = new Map(endpoints.map((endpoint) => [endpoint.path, endpoint]));
  const patterns = endpoints
    .filter(({ path }) => path.includes("*"))
    .map((endpoint) => ({
      endpoint,
      pattern: new RegExp(`^${endpoint.path.replace("*", "([^/]+)")}$`),
    }));
  const find = (path: string): { endpoint: Endpoint; parameter: string } | undefined => {
    const plain = path.includes("*") ? undefined : exact.get(path);
    if (plain !== undefined) return { endpoint: plain, parameter: "" };
    for (const { endpoint, pattern } of patterns) {
      const parameter = pattern.exec(path)?.[1];
      if (parameter !== undefined) return { endpoint, parameter };
    }
    return undefined;
  };
  return async (exchange) => {
    const found = find(exchange.path);
    if (found === undefined) return emptyReply(404);
    const { routes, path } = found.endpoint;
    const route =
      exchange.method === "HEAD" ? routes.GET : routes[exchange.method as "GET" | "POST"];
    if (route === undefined) return emptyReply(405, { allow: Object.keys(routes).join(",") });
    const start = performance.now();
    try {
      const reply = await route(exchange, found.parameter);
      return exchange.method === "HEAD" ? headOf(reply) : reply;
    } catch (error) {
      return failureReply(services, error);
    } finally {
      services.metrics.took(path, (performance.now() - start) / 1000);
    }
  };
}

/** A body that is a stream is not begun for somebody who asks for the head alone. */
function headOf(reply: Reply): Reply {
  if (typeof reply.body === "string" || reply.body instanceof Uint8Array) return reply;
  void reply.body.return?.();
  return { ...reply, body: "" };
}

/** The plain routes' form of an error; what nobody foresaw is logged and leaves as `internal error`. */
function failureReply(services: Services, thrown: unknown): Reply {
  const error = AgentKeysError.from(thrown);
  const { http } = errorTable[error.code];
  services.metrics.failed(error.code);
  if (http !== null && error.code !== "internal") {
    return errorReply(http, error.message, { reason: error.code, data: error.data });
  }
  services.log.error({ err: error.cause ?? error }, "request failed");
  return errorReply(500, "internal error", { reason: "internal" });
}
