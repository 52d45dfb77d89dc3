import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { parseJson, type WireValue } from "@agentkeys/contract";
import { localCaller } from "../access/auth.ts";
import { lines } from "./lines.ts";
import { toRequest } from "./rpc-request.ts";
import { answerRpc, rpcError } from "./rpc.ts";
import type { Services } from "../services.ts";

/**
 * The same calls as newline-delimited JSON, one after another: blank lines are skipped, requests without an id are run but not
 * answered, and what is no request is a parse error without an id. Resolves when the input ends.
 */
export async function serveLines(
  services: Services,
  io: { input: Readable; output: Writable },
): Promise<void> {
  for await (const line of lines(io.input)) {
    const answer = await answerLine(services, line);
    if (answer === undefined) continue;
    if (!io.output.write(`${answer}\n`)) await once(io.output, "drain");
  }
}

async function answerLine(
  services: Services,
  line: string | undefined,
): Promise<string | undefined> {
  if (line === undefined) return parseError("line too long or not UTF-8");
  if (line.trim() === "") return undefined;
  let body: WireValue;
  try {
    body = parseJson(line);
  } catch (error) {
    return parseError(error instanceof SyntaxError ? error.message : "invalid JSON");
  }
  const request = toRequest(body);
  if (request === undefined) return parseError("not a JSON-RPC request");
  const answer = await answerRpc({ services, caller: localCaller }, request);
  return request.id === undefined ? undefined : answer;
}

function parseError(problem: string): string {
  return rpcError(undefined, { code: -32700, message: `parse error: ${problem}` });
}
