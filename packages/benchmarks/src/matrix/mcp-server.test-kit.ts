import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { z } from "zod";

/** An MCP server on loopback that may say something else of its tool whenever it is asked again. */
export interface Shop extends AsyncDisposable {
  readonly url: string;
  readonly paid: number[];
  /** What it lists. */
  pay: { description: string; input: z.ZodRawShape };
}

/** Lists `pay`, and `fail`, whose result says `isError`. */
export async function openShop(): Promise<Shop> {
  const paid: number[] = [];
  const pay = { description: "pays", input: { price: z.number() } };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const server = listing(shop);
    const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true });
    await server.connect(transport);
    await transport.handleRequest(request, response);
  };
  const http = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await once(http.listen(0, "127.0.0.1"), "listening");
  const { port } = http.address() as AddressInfo;
  const shop: Shop = {
    url: `http://127.0.0.1:${port}/mcp`,
    paid,
    pay,
    async [Symbol.asyncDispose]() {
      http.closeAllConnections();
      http.close();
      await once(http, "close");
    },
  };
  return shop;
}

function listing({ pay, paid }: Shop): McpServer {
  const server = new McpServer({ name: "shop", version: "1.0.0" });
  const { description, input } = pay;
  server.registerTool("pay", { description, inputSchema: input }, (given: unknown) => {
    const { price } = given as { price: number };
    paid.push(price);
    return { content: [{ type: "text", text: `paid ${price}` }] };
  });
  server.registerTool("fail", { description: "fails", inputSchema: {} }, () => {
    return { content: [{ type: "text", text: "sold out" }], isError: true };
  });
  return server;
}
