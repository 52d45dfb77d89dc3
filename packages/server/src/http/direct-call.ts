import type { Direct } from "@agentkeys/contract";
import { authenticate } from "../access/authenticate.ts";
import { plainCopy } from "./plain-copy.ts";
import { dispatch } from "../rpc/rpc-methods.ts";
import { failureOf } from "../rpc/rpc.ts";
import type { Services } from "../services.ts";

/** The guard's methods for a client in this process: the same checks as over `POST /mcp`, and no JSON texts. */
export function createDirectCall(services: Services): Direct["call"] {
  return async ({ headers, method, params }) => {
    const start = performance.now();
    try {
      const caller = authenticate(services, { header: (name) => headers[name] });
      const request = { jsonrpc: "2.0", method, params: plainCopy(params), id: undefined };
      const result = await dispatch({ services, caller }, request);
      return { result: typeof result === "string" ? JSON.parse(result) : result };
    } catch (error) {
      return { error: failureOf(services, error) };
    } finally {
      services.metrics.took("/mcp", (performance.now() - start) / 1000);
    }
  };
}
