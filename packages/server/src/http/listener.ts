import { once } from "node:events";
import type { Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { AgentKeysError } from "@agentkeys/contract";
import type { Logger } from "pino";
import { createHttpServer } from "./http.ts";
import type { Dispatch } from "./router.ts";

export interface ListenOptions {
  /** Default: any free port. */
  port?: number;
  /** Default: 127.0.0.1. */
  host?: string;
}

export interface Listening {
  /** The `/mcp` url. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
}

/** Milliseconds that requests under way get when the authority closes. */
const GRACE = 5_000;

export function createListeners(dispatch: Dispatch, log: Logger) {
  const drains: (() => Promise<void>)[] = [];
  return {
    async listen({ port = 0, host = "127.0.0.1" }: ListenOptions): Promise<Listening> {
      const server = createHttpServer(dispatch);
      const drain = drained(server);
      server.listen(port, host);
      try {
        await once(server, "listening");
      } catch (cause) {
        throw refused(`${host}:${port}`, cause);
      }
      drains.push(drain);
      if (!isLoopback(host)) log.warn({ host }, "listening beyond loopback: put TLS in front");
      const { port: actual } = server.address() as AddressInfo;
      const name = host.includes(":") ? `[${host}]` : host;
      return { url: `http://${name}:${actual}/mcp`, host, port: actual };
    },
    async close(): Promise<void> {
      await Promise.all(drains.map((drain) => drain()));
    },
  };
}

function refused(place: string, cause: unknown): AgentKeysError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown error";
  const why = code === "EADDRINUSE" ? "the port is taken" : code;
  return new AgentKeysError("config_invalid", `cannot listen on ${place}: ${why}`, { cause });
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}

/** Stops accepting, lets what is under way finish within the grace period, and hangs up. */
function drained(server: Server): () => Promise<void> {
  const underWay = new Set<ServerResponse>();
  const over = function (this: ServerResponse): void {
    underWay.delete(this);
  };
  server.on("request", (_, res: ServerResponse) => {
    underWay.add(res);
    res.on("close", over);
  });
  return async () => {
    const closed = once(server, "close");
    server.close();
    const answered = Promise.all([...underWay].map((res) => once(res, "close")));
    await Promise.race([answered, sleep(GRACE, undefined, { ref: false })]);
    server.closeAllConnections();
    await closed;
  };
}
