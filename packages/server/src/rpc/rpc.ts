import {
  AgentKeysError,
  errorTable,
  fromJsonRpcError,
  stringifySorted,
  type WireValue,
} from "@agentkeys/contract";
import { dispatch } from "./rpc-methods.ts";
import type { RpcContext, RpcRequest } from "./rpc-request.ts";
import type { Services } from "../services.ts";

/** Answers one request. Never rejects: failures are JSON-RPC errors. */
export async function answerRpc(context: RpcContext, request: RpcRequest): Promise<string> {
  try {
    const result = await dispatch(context, request);
    return success(request.id, typeof result === "string" ? result : JSON.stringify(result));
  } catch (error) {
    return rpcFailure(context.services, request.id, error);
  }
}

function success(id: WireValue | undefined, result: string): string {
  return id === undefined
    ? `{"jsonrpc":"2.0","result":${result}}`
    : `{"jsonrpc":"2.0","result":${result},"id":${stringifySorted(id)}}`;
}

interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** The answer to a failed request. */
export function rpcFailure(services: Services, id: WireValue | undefined, thrown: unknown): string {
  return rpcError(id, failureOf(services, thrown));
}

/** A failure as the wire says it; what nobody foresaw is logged and leaves as `internal error`. */
export function failureOf(services: Services, thrown: unknown): RpcError {
  const error = AgentKeysError.from(thrown);
  const code = errorTable[error.code].jsonrpc ?? errorTable.internal.jsonrpc;
  const foreseen = code !== errorTable.internal.jsonrpc;
  if (!foreseen) services.log.error({ err: error.cause ?? error }, "request failed");
  services.metrics.failed(error.code);
  const message = foreseen ? error.message : "internal error";
  return { code, message, data: foreseen ? wireData(error, code) : undefined };
}

/** Where number and text do not tell the code, `data.code` does; not where upstream's text has the last word. */
function wireData(error: AgentKeysError, code: number): unknown {
  const { message, data } = error;
  const heard = (said: unknown) =>
    fromJsonRpcError({ code, message, data: said }).code === error.code;
  const named = { ...data, code: error.code };
  return heard(data) || !heard(named) ? data : named;
}

export function rpcError(id: WireValue | undefined, { code, message, data }: RpcError): string {
  const body = JSON.stringify({ code, message, data });
  return id === undefined
    ? `{"jsonrpc":"2.0","error":${body}}`
    : `{"jsonrpc":"2.0","error":${body},"id":${stringifySorted(id)}}`;
}
