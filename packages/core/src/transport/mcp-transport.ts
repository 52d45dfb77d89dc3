import { AgentKeysError, type DirectResult } from "@agentkeys/contract";
import type { ClientOptions } from "../client/client-surface.ts";
import { within } from "./deadline.ts";
import { env } from "../client/env.ts";
import { openFetch } from "./fetch-http.ts";
import type { JsonObject } from "../guard/guard-surface.ts";
import { type Http, splitUrl } from "./http.ts";
import type { Identity } from "../client/identity.ts";
import { isRecord } from "../json/is-record.ts";
import { readMessage, resultOf } from "./json-rpc.ts";
import type { SendOptions, Transport } from "./transport.ts";
import { unavailable } from "./unavailable.ts";

type Headers = Readonly<Record<string, string>>;

/** JSON-RPC over POST /mcp. */
export function createMcpTransport(
  { url, fetch }: Pick<ClientOptions, "url" | "fetch">,
  identity: Identity,
): Transport {
  const headersFor = createHeaders(identity);
  let opening: Promise<Door> | undefined;
  let door: Door | undefined;
  let lastId = 0;

  const open = async (): Promise<Door> => (door ??= await (opening ??= openDoor(url, fetch)));

  const post = async (
    method: string,
    params: JsonObject,
    options: SendOptions,
  ): Promise<DirectResult> => {
    const headers = headersFor(options);
    const { http, path } = door ?? (await open());
    const id = ++lastId;
    const body = encode({ jsonrpc: "2.0", id, method, params });
    const request = { path, headers, body };
    return readMessage(await within(options.limits, (stop) => http.post(request, stop)), id);
  };

  const request: Transport["request"] = (method, params, options) => {
    if (door === undefined) return open().then(() => request(method, params, options));
    const { call } = door.http;
    if (call === undefined) return post(method, params, options);
    const asked = { headers: headersFor(options), method, params };
    return within(options.limits, () => call(asked));
  };

  return {
    request,
    async call(id, input, options) {
      const result = resultOf(await post("tools/call", { name: id, arguments: input }, options));
      const content = isRecord(result) && result["isError"] !== true && result["structuredContent"];
      if (isRecord(content)) return content;
      throw unavailable("malformed answer: not a tool's result");
    },
    async stream(route, { actor, headers }, signal) {
      const { http, path } = door ?? (await open());
      const own = { ...headersFor({ actor }), accept: "text/event-stream", ...headers };
      return http.get({ path: baseOf(path) + route, headers: own }, signal);
    },
    async close() {
      await (await opening?.catch(() => undefined))?.http.close();
    },
  };
}

/** A connection to an authority, and the path of its `/mcp` URL. */
export interface Door {
  readonly http: Http;
  readonly path: string;
}

/** The connection library is loaded where there is no `fetch`, and nowhere else. */
export async function openDoor(
  url: string | undefined,
  fetch: ClientOptions["fetch"],
): Promise<Door> {
  const { origin, path } = splitUrl(url ?? env("AGENTKEYS_MCP_URL") ?? "http://localhost:8088/mcp");
  if (fetch !== undefined) return { http: openFetch(fetch, origin), path };
  const { openPool } = await import("./undici-http.ts");
  return { http: openPool(origin), path };
}

/** What stands before `/mcp`: `/mcp` → ``, `/agents/mcp` → `/agents`. */
export function baseOf(path: string): string {
  const found = /^(.*)\/mcp\/?$/.exec(path)?.[1];
  if (found !== undefined) return found;
  throw new AgentKeysError("config_invalid", "url: expected http://… or https://…, ending in /mcp");
}

/** The same object for every plain call of one actor. */
function createHeaders(identity: Identity): (options: Omit<SendOptions, "limits">) => Headers {
  const plain = new Map<string, Headers>();
  const build = (actor: string): Headers => {
    const bearer = identity.have("session_bearer");
    const headers = {
      "content-type": "application/json",
      accept: "application/json",
      authorization: `Bearer ${headerValue("token", identity.need("token"))}`,
      "x-agentkeys-actor": headerValue("actor", actor),
      ...(bearer && { "x-agentkeys-session-bearer": headerValue("session_bearer", bearer) }),
    };
    plain.set(actor, headers);
    return headers;
  };
  return ({ actor, idempotencyKey, traceparent }) => {
    const headers = plain.get(actor) ?? build(actor);
    if (idempotencyKey === undefined && traceparent === undefined) return headers;
    return {
      ...headers,
      ...(idempotencyKey && { "idempotency-key": headerValue("idempotencyKey", idempotencyKey) }),
      ...(traceparent && { traceparent: headerValue("traceparent", traceparent) }),
    };
  };
}

/** Refuses what would break a header line; the value may be a secret, so the error does not quote it. */
function headerValue(name: string, value: string): string {
  if (/^[\x20-\x7e]+$/.test(value)) return value;
  throw new AgentKeysError(
    "config_invalid",
    `${name}: has characters that no HTTP header may have`,
  );
}

function encode(message: JsonObject): string {
  try {
    return JSON.stringify(message);
  } catch (cause) {
    throw new AgentKeysError("invalid_params", "input cannot be written as JSON", { cause });
  }
}
