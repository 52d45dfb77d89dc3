import { isUtf8 } from "node:buffer";
import { type Direct, direct } from "@agentkeys/contract";
import type { Exchange, Reply } from "./exchange.ts";
import { BODY_LIMIT, tooLarge } from "./http.ts";
import type { Dispatch } from "./router.ts";

/** `fetch` without a socket: the same dispatcher, the same limits. An aborted signal rejects with its reason. */
export type InProcessFetch = (url: string, init?: RequestInit) => Promise<Response>;

export function createFetch(dispatch: Dispatch, call: Direct["call"]): InProcessFetch {
  const fetch: InProcessFetch = async (url, init = {}) => {
    const signal = init.signal ?? undefined;
    signal?.throwIfAborted();
    const body = await bodyText(init.body);
    if (body !== undefined && Buffer.byteLength(body) > BODY_LIMIT) return toResponse(tooLarge());
    const reply = dispatch(toExchange(url, init, body));
    return toResponse(await (signal === undefined ? reply : unlessAborted(reply, signal)), signal);
  };
  return Object.assign(fetch, { [direct]: { post: directPost(dispatch), call } });
}

function directPost(dispatch: Dispatch): Direct["post"] {
  return async ({ path, headers, body }) => {
    const [pathname = path, query = ""] = path.split("?", 2);
    const header = (name: string): string | undefined => headers[name];
    const exchange = { method: "POST", path: pathname, query, body, header };
    const reply = Buffer.byteLength(body) > BODY_LIMIT ? tooLarge() : await dispatch(exchange);
    const text = typeof reply.body === "string" ? reply.body : "";
    return { status: reply.status, retryAfter: reply.headers?.["retry-after"], body: text };
  };
}

/** undefined = not UTF-8. */
async function bodyText(body: RequestInit["body"]): Promise<string | undefined> {
  if (typeof body === "string") return body;
  if (body === undefined || body === null) return "";
  const bytes = Buffer.from(await new Response(body).arrayBuffer());
  return isUtf8(bytes) ? bytes.toString() : undefined;
}

function toExchange(url: string, init: RequestInit, body: string | undefined): Exchange {
  const { pathname, search } = new URL(url, "http://in.process");
  const headers = new Headers(init.headers);
  return {
    method: (init.method ?? "GET").toUpperCase(),
    path: pathname,
    query: search.slice(1),
    body,
    header: (name) => headers.get(name) ?? undefined,
  };
}

/** The call itself goes on: a write that has begun is not undone by nobody waiting for it. */
function unlessAborted(reply: Promise<Reply>, signal: AbortSignal): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    signal.addEventListener("abort", abort, { once: true });
    const settled = () => signal.removeEventListener("abort", abort);
    reply.then(resolve, reject).finally(settled).catch(reject);
  });
}

function toResponse({ status, type, body, headers }: Reply, signal?: AbortSignal): Response {
  const head = type === undefined ? { ...headers } : { ...headers, "content-type": type };
  if (typeof body === "string") return new Response(body, { status, headers: head });
  if (body instanceof Uint8Array)
    return new Response(new Uint8Array(body), { status, headers: head });
  return new Response(toReadable(body, signal), { status, headers: head });
}

function toReadable(
  stream: AsyncIterableIterator<string, undefined>,
  signal: AbortSignal | undefined,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const abort = () => {
          controller.error(signal?.reason);
          void stream.return?.();
        };
        signal?.addEventListener("abort", abort, { once: true });
      },
      async pull(controller) {
        const { done, value } = await stream.next();
        if (done === true) controller.close();
        else controller.enqueue(encoder.encode(value));
      },
      cancel: () => void stream.return?.(),
    },
    { highWaterMark: 0 },
  );
}
