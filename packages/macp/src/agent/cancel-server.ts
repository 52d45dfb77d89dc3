import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { AgentKeysError } from "@agentkeys/contract";

/** What an orchestrator posts. */
export interface CancelRequest {
  readonly runId: string;
  readonly reason: string;
}

export interface CancelServerOptions {
  /** Called once per valid request; what it throws is answered with 500. */
  onCancel: (request: CancelRequest) => void | Promise<void>;
  /** Default: 127.0.0.1. Anyone who reaches the port may cancel. */
  host?: string;
  /** Default: 0, a free one. */
  port?: number;
  /** Default: /cancel. */
  path?: string;
}

export interface CancelServer extends AsyncDisposable {
  /** Where to post to. */
  readonly url: string;
  close(): Promise<void>;
}

/** Bytes. */
const longestBody = 65_536;

/** Listens for an orchestrator's word that the run is over: `POST {"runId": …, "reason": …}`, answered once it is done. */
export async function createCancelServer({
  onCancel,
  host = "127.0.0.1",
  port = 0,
  path = "/cancel",
}: CancelServerOptions): Promise<CancelServer> {
  const { createServer } = await import("node:http");
  const server = createServer((request, response) => {
    answer(request, { path, onCancel }).then(
      (status) => end(response, status),
      () => end(response, 500),
    );
  });
  await listening(server, host, port);
  const address = server.address();
  const bound = typeof address === "object" && address !== null ? address.port : port;
  const name = host.includes(":") ? `[${host}]` : host;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://${name}:${bound}${path}`, close, [Symbol.asyncDispose]: close };
}

/** The status to answer with. */
async function answer(
  request: IncomingMessage,
  { path, onCancel }: Pick<CancelServerOptions, "onCancel"> & { path: string },
): Promise<number> {
  if (request.url?.split("?", 1)[0] !== path) return 404;
  if (request.method !== "POST") return 405;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > longestBody) return 413;
    chunks.push(chunk);
  }
  const cancel = toCancelRequest(Buffer.concat(chunks).toString("utf8"));
  if (cancel === undefined) return 400;
  await onCancel(cancel);
  return 200;
}

function toCancelRequest(body: string): CancelRequest | undefined {
  try {
    const { runId, reason = "" } = JSON.parse(body) as Partial<Record<string, unknown>>;
    return typeof runId === "string" && typeof reason === "string" ? { runId, reason } : undefined;
  } catch {
    return undefined;
  }
}

function end(response: ServerResponse, status: number): void {
  // The rest of a body that was refused is not read.
  response.writeHead(status, { "content-type": "application/json", connection: "close" });
  response.end(JSON.stringify({ ok: status === 200 }));
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: Error) =>
      reject(
        new AgentKeysError("config_invalid", `cancel server: ${host}:${port} is not to be had`, {
          cause,
        }),
      ),
    );
    server.listen(port, host, resolve);
  });
}
