import type { WireValue } from "@agentkeys/contract";
import type { Caller } from "../access/auth.ts";
import { isFields } from "./fields.ts";
import type { Services } from "../services.ts";

export interface RpcRequest {
  readonly jsonrpc: string;
  readonly method: string;
  readonly params: WireValue | undefined;
  /** undefined = none; null counts as none. */
  readonly id: WireValue | undefined;
}

export interface RpcContext {
  readonly services: Services;
  readonly caller: Caller;
  /** Of the `Idempotency-Key` header. */
  readonly idempotencyKey?: string | undefined;
}

/** The request in a parsed body; undefined when its shape is wrong, which also goes for a batch. */
export function toRequest(body: WireValue): RpcRequest | undefined {
  if (!isFields(body)) return undefined;
  const { jsonrpc, method, params, id } = body;
  if (typeof jsonrpc !== "string" || typeof method !== "string") return undefined;
  return { jsonrpc, method, params: params ?? undefined, id: id ?? undefined };
}
