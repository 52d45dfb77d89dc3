import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import type { PeerStage } from "./peer.ts";
import { page, type Words } from "./policy.ts";

/** What a peer asks of OPA, and the words in which it wants the answer. */
export interface OpaDialect<Input> {
  readonly words: Words<unknown>;
  read(input: Input): { readonly tool: string; readonly input: unknown };
}

/** Answers OPA's data API on loopback from the stage's policy; whatever the path. Gives its URL. */
export async function serveOpa<Input>(
  { policy, defer }: PeerStage,
  { words, read }: OpaDialect<Input>,
): Promise<string> {
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { input: asked } = (await json(request)) as { input: Input };
    const { tool, input } = read(asked);
    const result = await policy.answer(tool, input, words);
    const isPage = result === page;
    response.setHeader("content-type", isPage ? "text/html" : "application/json");
    response.end(isPage ? page : JSON.stringify({ result }));
  };
  const http = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await once(http.listen(0, "127.0.0.1"), "listening");
  defer(() => {
    http.closeAllConnections();
    http.close();
  });
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
}
