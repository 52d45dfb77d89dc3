import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Asked {
  readonly id: unknown;
  /** `guard/begin`, or the tool's name of a `tools/call`. */
  readonly what: string;
  readonly params: Record<string, unknown>;
  readonly headers: IncomingHttpHeaders;
  readonly path: string;
}

interface Rpc {
  readonly id: unknown;
  readonly method: string;
  readonly params: Record<string, unknown>;
}

interface Call {
  readonly name: string;
  readonly arguments: Record<string, unknown>;
}

export class RpcProblem extends Error {
  readonly code: number;
  readonly data: unknown;

  constructor(code: number, message: string, data?: unknown) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

/** What a tool or method answers; `undefined` = the handler has done something else to the response. */
export type Handler = (asked: Asked, response: ServerResponse) => unknown;

/** A real HTTP server that speaks JSON-RPC as far as its handlers do. */
export async function standIn(handlers: Record<string, Handler>): Promise<StandIn> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { headers, method, url: path = "" } = request;
      const name = `${method} ${path.split("?", 1)[0]}`;
      const route = handlers[name];
      if (route !== undefined) {
        const found: Asked = { id: null, what: name, params: {}, headers, path };
        asked.push(found);
        void route(found, response);
        return;
      }
      const rpc = JSON.parse(Buffer.concat(chunks).toString()) as Rpc;
      const { name: called, arguments: given } = rpc.params as unknown as Call;
      const facts = { id: rpc.id, headers, path };
      const found: Asked =
        rpc.method === "tools/call"
          ? { ...facts, what: called, params: given }
          : { ...facts, what: rpc.method, params: rpc.params };
      asked.push(found);
      void reply(found, response);
    });
  });

  const reply = async (found: Asked, response: ServerResponse): Promise<void> => {
    const { id, what } = found;
    try {
      const handler = handlers[what] ?? handlers["*"];
      if (handler === undefined) throw missing(what);
      const value = await handler(found, response);
      if (value === undefined) return;
      const result = what.startsWith("agentkeys.") ? toolResult(value) : value;
      send(response, 200, { jsonrpc: "2.0", result, id });
    } catch (error) {
      const { code, message, data } = error as RpcProblem;
      send(response, 200, { jsonrpc: "2.0", error: { code, message, data }, id });
    }
  };

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    asked,
    names: () => asked.map(({ what }) => what),
    handlers,
    close,
    [Symbol.asyncDispose]: close,
  };
}

export interface StandIn extends AsyncDisposable {
  url: string;
  asked: Asked[];
  names(): string[];
  handlers: Record<string, Handler>;
  close(): Promise<void>;
}

export function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

export function toolResult(value: unknown): object {
  return {
    content: [{ type: "text", text: JSON.stringify(value) }],
    structuredContent: value,
    isError: false,
  };
}

function missing(what: string): RpcProblem {
  return what.startsWith("agentkeys.")
    ? new RpcProblem(-32601, `tool not found: ${what}`)
    : new RpcProblem(-32601, `method not found: ${what}`);
}

export const hash = `0x${"ab".repeat(32)}`;
export const actor = `0x${"a0".repeat(32)}`;
export const operator = `0x${"07".repeat(32)}`;
export const deviceKeyHash = `0x${"de".repeat(32)}`;
export const identity = { token: "tok-canary", actor, operator, deviceKeyHash };

/** Stands in every broken answer; no error may quote it. */
export const canary = "CANARY-IN-THE-BODY";

type Break = (asked: Asked, response: ServerResponse) => void;

const raw =
  (status: number, body: string, type = "application/json"): Break =>
  (_, response) => {
    response.writeHead(status, { "content-type": type });
    response.end(body);
  };
const message =
  (change: (whole: Record<string, unknown>) => unknown, status = 200): Break =>
  (asked, response) =>
    send(response, status, change({ jsonrpc: "2.0", result: { x: canary }, id: asked.id }));

/** Every way in which an answer can be none. `hang` and `late` need a short deadline. */
export const broken: Record<string, Break> = {
  hang: () => {},
  late: (asked, response) => {
    setTimeout(() => send(response, 200, { jsonrpc: "2.0", result: {}, id: asked.id }), 900);
  },
  "late after the headers": (_, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.write(`{"jsonrpc":"2.0",`);
  },
  "cut before the answer": (_, response) => void response.socket?.destroy(),
  "cut in the body": (_, response) => {
    response.writeHead(200, { "content-length": "500" });
    response.write(`{"jsonrpc":"2.0","result":{"x":"${canary}`, () => response.socket?.destroy());
  },
  "a page": raw(200, `<html>${canary}</html>`, "text/html"),
  "an empty body": raw(200, ""),
  "half of a JSON text": raw(200, `{"jsonrpc":"2.0","id":1,"result":{"x":"${canary}"`),
  "HTTP 500 with a page": raw(500, `<h1>${canary}</h1>`, "text/html"),
  "HTTP 502 from a proxy": raw(502, canary, "text/plain"),
  "HTTP 204": raw(204, ""),
  "a redirect": (_, response) => {
    response.writeHead(302, { location: `https://example.invalid/${canary}` });
    response.end();
  },
  "JSON null": raw(200, "null"),
  "a JSON text": raw(200, JSON.stringify(canary)),
  "a batch": message((whole) => [whole]),
  "another id": message((whole) => ({ ...whole, id: 999_999 })),
  "the id as a text": message((whole) => ({ ...whole, id: String(whole["id"]) })),
  "no id": message((whole) => ({ ...whole, id: undefined })),
  "no jsonrpc": message((whole) => ({ ...whole, jsonrpc: undefined })),
  "neither result nor error": message((whole) => ({ ...whole, result: undefined })),
  "result and error": message((whole) => ({ ...whole, error: { code: -32000, message: canary } })),
  "an error without a code": message((whole) => ({
    ...whole,
    result: undefined,
    error: { message: canary },
  })),
  "an error that is a text": message((whole) => ({ ...whole, result: undefined, error: canary })),
  "a result with HTTP 403": message((whole) => whole, 403),
  "a result that is null": message((whole) => ({ ...whole, result: null })),
  "a result that is a text": message((whole) => ({ ...whole, result: canary })),
  "a result of another kind": message((whole) => whole),
};

export interface Row {
  readonly kind: "intent" | "outcome";
  readonly body: Record<string, unknown>;
  readonly result: number;
}

export interface Books {
  /** What is durable, in order. */
  readonly rows: Row[];
  readonly handlers: Record<string, Handler>;
}

interface Verdict {
  readonly verdict: string;
  readonly reason: string;
  readonly explanation: string;
}

const verdicts = {
  accept: {
    verdict: "accept",
    reason: "within_daily_cap",
    explanation: "amount 200 ≤ daily cap 500",
  },
  deny: {
    verdict: "deny",
    reason: "daily_spend_cap_exceeded",
    explanation: "cap=500, requested=600, period=daily",
  },
};

function judge(params: Record<string, unknown>): Verdict {
  const { amount_rmb = 0, verdict } = params as { amount_rmb?: number; verdict?: string };
  if (verdict !== undefined) return { verdict, reason: "because", explanation: "as told" };
  return verdicts[amount_rmb > 500 ? "deny" : "accept"];
}

/** An authority with the fused calls; what it records is the same as the other's. */
export function fusedBooks(): Books {
  const rows: Row[] = [];
  const begun = new Map<unknown, Record<string, unknown>>();
  const begin: Handler = ({ params }) => {
    const { begin_id, scope, refused } = params;
    const facts = (refused as object | undefined)
      ? { verdict: "deny", ...(refused as { reason: string; explanation: string }) }
      : judge(params["params"] as Record<string, unknown>);
    const accepted = facts.verdict === "accept";
    rows.push({ kind: "intent", body: { ...params, ...facts }, result: accepted ? 0 : 2 });
    if (accepted) begun.set(begin_id, params);
    return { ...facts, scope, ticket: begin_id, envelope_hash: hash };
  };
  const end: Handler = ({ params }) => {
    const { outcome, ticket, begin_id } = params;
    const began = begun.get(ticket ?? begin_id);
    if (began === undefined)
      throw new RpcProblem(-32000, "unknown begin_id", { code: "not_found" });
    const { tool, call_id } = began;
    const failed = outcome === "error" || outcome === "aborted";
    rows.push({ kind: "outcome", body: { tool, call_id, outcome }, result: failed ? 1 : 0 });
    return { ok: true, envelope_hash: hash };
  };
  return { rows, handlers: { "guard/begin": begin, "guard/end": end } };
}

interface Event {
  readonly op_kind: number;
  readonly op_body: Record<string, unknown>;
  readonly result: number;
}

/** A server with upstream's tools only. */
export function upstreamBooks(): Books {
  const rows: Row[] = [];
  const check: Handler = ({ params: { scope, params } }) => ({
    ...judge(params as Record<string, unknown>),
    scope,
  });
  const append: Handler = ({ params }) => {
    const { op_kind, op_body, result } = params["event"] as Event;
    rows.push({ kind: op_kind === 240 ? "intent" : "outcome", body: op_body, result });
    return { ok: true, envelope_hash: `0x${String(rows.length).padStart(64, "0")}` };
  };
  return {
    rows,
    handlers: { "agentkeys.permission.check": check, "agentkeys.audit.append": append },
  };
}
