import { AgentKeysError, fromJsonRpcError, type DirectAnswer } from "@agentkeys/contract";
import { isRecord } from "./is-record.ts";
import { unavailable } from "./unavailable.ts";

interface RpcError {
  code: number;
  message: string;
  data?: unknown;
}

/**
 * The result of the request with this id. Whatever is not a whole and well-formed answer to it is `authority_unavailable`;
 * an error answer is thrown with the server's own text.
 */
export function readResult(answer: DirectAnswer, id: number): unknown {
  const message = parse(answer.body);
  const { status } = answer;
  if (!isRecord(message) || message["jsonrpc"] !== "2.0") throw refusedByStatus(answer);
  const hasResult = "result" in message;
  const hasError = "error" in message;
  // A server that refuses before it has read the request cannot know its id.
  const idAbsent = status !== 200 && (message["id"] === undefined || message["id"] === null);
  if (hasResult === hasError || (message["id"] !== id && !(hasError && idAbsent))) {
    throw unavailable("malformed answer: not an answer to this request");
  }
  if (hasError) throw readError(message["error"]);
  if (status !== 200) throw unavailable(`malformed answer: a result with HTTP ${status}`);
  return message["result"];
}

function readError(error: unknown): AgentKeysError {
  if (isRpcError(error)) return fromJsonRpcError(error);
  return unavailable("malformed answer: not a JSON-RPC error");
}

function isRpcError(error: unknown): error is RpcError {
  return isRecord(error) && Number.isInteger(error["code"]) && typeof error["message"] === "string";
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** No JSON-RPC at all: two statuses speak for themselves, the rest is somebody else's page. */
function refusedByStatus({ status, retryAfter }: DirectAnswer): AgentKeysError {
  const message = `HTTP ${status} without a JSON-RPC answer`;
  if (status === 413) return new AgentKeysError("payload_too_large", message);
  if (status !== 429) return unavailable(message);
  const retry_after =
    retryAfter !== undefined && /^\d+$/.test(retryAfter) ? +retryAfter : undefined;
  return new AgentKeysError("rate_limited", message, { data: { retry_after } });
}
