import { isUtf8 } from "node:buffer";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createArrivals } from "./arrivals.ts";
import type { Exchange, Reply } from "./exchange.ts";
import { errorReply } from "./exchange.ts";
import type { Dispatch } from "./router.ts";

/** Bytes of a request's body. */
export const BODY_LIMIT = 1 << 20;

/** Milliseconds and bytes that a connection may take. */
const limits = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 5_000,
  maxHeaderSize: 16 << 10,
};

interface Arrival {
  readonly body: Buffer;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

/** An HTTP server that carries requests to `dispatch` and nothing else. */
export function createHttpServer(dispatch: Dispatch): Server {
  const server = createServer(limits, (req, res) => {
    if (isTooLarge(req)) return refuseBody(req, res);
    const chunks: Buffer[] = [];
    let size = 0;
    req.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= BODY_LIMIT) chunks.push(chunk);
      else if (!res.headersSent) refuseBody(req, res);
    });
    req.on("end", () => {
      if (size > BODY_LIMIT) return;
      const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
      arrived({ body, req, res });
    });
  });
  server.on("checkContinue", (req: IncomingMessage, res: ServerResponse) => {
    if (isTooLarge(req)) return refuseBody(req, res);
    res.writeContinue();
    server.emit("request", req, res);
  });
  const respond = async ({ body, req, res }: Arrival) => {
    try {
      const text = isUtf8(body) ? body.toString() : undefined;
      const reply = await dispatch(toExchange(req, text));
      // A closing server waits for its connections: this one has had its last answer.
      if (!server.listening) res.shouldKeepAlive = false;
      send(req, res, reply);
    } catch {
      res.destroy();
    }
  };
  const arrived = createArrivals<Arrival>((arrival) => void respond(arrival));
  return server;
}

function isTooLarge({ headers }: IncomingMessage): boolean {
  return Number(headers["content-length"]) > BODY_LIMIT;
}

/** Answers without reading on; what is still sent is thrown away, and the connection with it. */
function refuseBody(req: IncomingMessage, res: ServerResponse): void {
  res.shouldKeepAlive = false;
  res.once("finish", () => setTimeout(() => req.destroy(), 1_000).unref());
  send(req, res, tooLarge());
}

export function tooLarge(): Reply {
  return errorReply(413, `the body is larger than ${BODY_LIMIT} bytes`, {
    reason: "payload_too_large",
  });
}

/** Scheme and authority of a request that names the whole url, as proxies may. */
const origin = /^https?:\/\/[^/?]*/i;

function toExchange(req: IncomingMessage, body: string | undefined): Exchange {
  const { method = "GET", url = "/", headers } = req;
  const target = url.startsWith("/") ? url : url.replace(origin, "");
  const mark = target.indexOf("?");
  return {
    method,
    path: mark < 0 ? target : target.slice(0, mark),
    query: mark < 0 ? "" : target.slice(mark + 1),
    body,
    // Of a header that is sent twice the first counts; Node.js joins most of them.
    header: (name) => {
      const value = headers[name];
      const joined = typeof value !== "string" || value.includes(", ");
      return value !== undefined && joined ? req.headersDistinct[name]?.[0] : value;
    },
  };
}

function send(req: IncomingMessage, res: ServerResponse, reply: Reply): void {
  const { status, type, body, headers } = reply;
  if (typeof body === "string" || body instanceof Uint8Array) {
    const head: Record<string, string | number> = {
      ...headers,
      "content-length": Buffer.byteLength(body),
    };
    if (type !== undefined) head["content-type"] = type;
    res.writeHead(status, head);
    res.end(req.method === "HEAD" ? undefined : body);
  } else {
    res.writeHead(status, { ...headers, "content-type": type ?? "text/plain" });
    void pour(body, res);
  }
}

/** Waits for the reader before it asks for more. */
async function pour(
  stream: AsyncIterableIterator<string, undefined>,
  res: ServerResponse,
): Promise<void> {
  res.once("close", () => void stream.return?.());
  try {
    while (!res.destroyed) {
      const { done, value } = await stream.next();
      if (done === true) break;
      if (!res.write(value)) await roomIn(res);
    }
    res.end();
  } catch {
    res.destroy();
  } finally {
    // The reader may have left before anybody listened.
    void stream.return?.();
  }
}

function roomIn(res: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      res.off("drain", done).off("close", done);
      resolve();
    };
    res.on("drain", done).on("close", done);
  });
}
