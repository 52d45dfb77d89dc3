import { appendRoute, envelopeRoute, streamRoute } from "../audit/audit-routes.ts";
import { decideRoute } from "../approvals/decide-route.ts";
import { feedRoute, listRoute } from "../approvals/approval-reads.ts";
import { revokeRuleRoute, rulesRoute } from "../approvals/rule-routes.ts";
import type { Route } from "./exchange.ts";
import { jsonReply } from "./exchange.ts";
import { mcpRoute } from "../rpc/mcp-route.ts";
import { revokeRoute } from "../access/operator-routes.ts";
import type { Endpoint } from "./router.ts";
import type { Services } from "../services.ts";

/** Everything that answers over HTTP. */
export function endpoints(services: Services): Endpoint[] {
  const both: Endpoint[] = [
    { path: "/mcp", routes: { POST: mcpRoute(services) } },
    { path: "/healthz", routes: { GET: alive } },
    { path: "/readyz", routes: { GET: ready(services) } },
    { path: "/metrics", routes: { GET: metrics(services) } },
    { path: "/v1/audit/append/v2", routes: { POST: appendRoute(services) } },
    { path: "/v1/audit/envelope/*", routes: { GET: envelopeRoute(services) } },
  ];
  if (services.surface === "v1") return both;
  return [
    ...both,
    { path: "/v1/audit/stream", routes: { GET: streamRoute(services) } },
    { path: "/v1/actors/*/revoke", routes: { POST: revokeRoute(services) } },
    { path: "/v1/approvals", routes: { GET: listRoute(services) } },
    { path: "/v1/approvals/stream", routes: { GET: feedRoute(services) } },
    { path: "/v1/approvals/*/approve", routes: { POST: decideRoute(services, "approved") } },
    { path: "/v1/approvals/*/deny", routes: { POST: decideRoute(services, "denied") } },
    { path: "/v1/rules", routes: { GET: rulesRoute(services) } },
    { path: "/v1/rules/*/revoke", routes: { POST: revokeRuleRoute(services) } },
  ];
}

const alive: Route = () => jsonReply(200, '{"name":"agentkeys-mcp-server","ok":true}');

/** Ready while records can be written. */
function ready({ store, log }: Services): Route {
  return async () => {
    try {
      await store.ready();
      return jsonReply(200, '{"status":"ready"}');
    } catch (error) {
      log.warn({ err: error }, "not ready");
      return jsonReply(503, '{"status":"unready"}');
    }
  };
}

function metrics(services: Services): Route {
  return async () => {
    const { type, text } = await services.metrics.render();
    return { status: 200, type, body: text };
  };
}
