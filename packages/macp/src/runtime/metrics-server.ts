import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Address } from "./settings-reader.ts";

export interface MetricsServer {
  readonly address: Address;
  close(): Promise<void>;
}

/** Prometheus text on every path. Each connection is for one answer, as scrapers of the reference runtime have it. */
export async function serveMetrics(
  { host, port }: Address,
  render: () => string,
): Promise<MetricsServer> {
  const server = createServer((_request, response) => {
    response.writeHead(200, {
      "content-type": "text/plain; version=0.0.4; charset=utf-8",
      connection: "close",
    });
    response.end(render());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, resolve);
  });
  return {
    address: { host, port: (server.address() as AddressInfo).port },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
