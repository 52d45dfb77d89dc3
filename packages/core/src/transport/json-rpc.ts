import {
  AgentKeysError,
  type DirectAnswer,
  type DirectResult,
  fromJsonRpcError,
} from "@agentkeys/contract";
import { isRecord } from "../json/is-record.ts";
import { unavailable } from "./unavailable.ts";

interface RpcError {
  code: number;
  message: string;
  data?: unknown;
}

/** What was answered; an error is thrown with the server's own text. */
export function resultOf(answer: DirectResult): unknown {
  if ("result" in answer) return answer.result;
  throw fromJsonRpcError(answer.error);
}

/**
 * The answer to the request with this id. Whatever is not whole and well-formed is `authority_unavailable`, thrown.
 */
export function readMessage(answer: DirectAnswer, id: number): DirectResult {
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
  const { error, result } = message;
  if (hasError) {
    if (isRpcError(error)) return { error };
    throw unavailable("malformed answer: not a JSON-RPC error");
  }
  if (status !== 200) throw unavailable(`malformed answer: a result with HTTP ${status}`);
  return { result };
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

/** What our plain routes say: `{ error, reason }`. */
function errorOf(body: string): string | undefined {
  const answer = parse(body);
  return isRecord(answer) && typeof answer["error"] === "string" ? answer["error"] : undefined;
}

/** No JSON-RPC at all: some statuses speak for themselves, the rest is somebody else's page. */
function refusedByStatus({ status, body, retryAfter }: DirectAnswer): AgentKeysError {
  const message = `HTTP ${status} without a JSON-RPC answer`;
  if (status === 413) return new AgentKeysError("payload_too_large", errorOf(body) ?? message);
  // It could not read the request, and would not read it the next time.
  if (status === 400 || status === 415 || status === 422) {
    return new AgentKeysError("invalid_request", errorOf(body) ?? message);
  }
  if (status !== 429) return unavailable(message);
  const retry_after =
    retryAfter !== undefined && /^\d+$/.test(retryAfter) ? +retryAfter : undefined;
  return new AgentKeysError("rate_limited", message, { data: { retry_after } });
}
