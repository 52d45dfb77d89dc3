import { AgentKeysError, errorTable, parseJson, type WireValue } from "@agentkeys/contract";
import type { Caller } from "../access/auth.ts";
import { authenticate } from "../access/authenticate.ts";
import type { Exchange, Reply, Route } from "../http/exchange.ts";
import { isJson, jsonReply, textReply } from "../http/exchange.ts";
import { toRequest } from "./rpc-request.ts";
import { answerRpc, rpcFailure } from "./rpc.ts";
import type { Services } from "../services.ts";

/** `POST /mcp`. Upstream's order: content type, syntax, shape, bearer, actor header, then the call; only the latter is always a 200. */
export function mcpRoute(services: Services): Route {
  return async (exchange) => {
    const body = jsonBody(exchange);
    if ("reply" in body) return body.reply;
    const request = toRequest(body.value);
    if (request === undefined) return textReply(422, "not a JSON-RPC request");
    let caller: Caller;
    try {
      caller = authenticate(services, exchange);
    } catch (error) {
      const status = errorTable[AgentKeysError.from(error).code].http ?? 500;
      return jsonReply(status, rpcFailure(services, request.id, error));
    }
    const idempotencyKey = exchange.header("idempotency-key") || undefined;
    return jsonReply(200, await answerRpc({ services, caller, idempotencyKey }, request));
  };
}

/** The body as JSON, or the refusal: 415, 400. */
export function jsonBody(exchange: Exchange): { value: WireValue } | { reply: Reply } {
  if (!isJson(exchange.header("content-type"))) {
    return { reply: textReply(415, "expected content-type: application/json") };
  }
  if (exchange.body === undefined) return { reply: textReply(400, "the body is not UTF-8") };
  try {
    return { value: parseJson(exchange.body) };
  } catch (error) {
    return { reply: textReply(400, error instanceof SyntaxError ? error.message : "invalid JSON") };
  }
}
