import type { DirectResult } from "@agentkeys/contract";
import type { Limits } from "./deadline.ts";
import type { JsonObject } from "../guard/guard-surface.ts";
import type { StreamAnswer } from "./http.ts";

export interface SendOptions {
  /** Who speaks. */
  readonly actor: string;
  readonly limits: Limits;
  readonly idempotencyKey?: string | undefined;
  /** W3C trace context, passed on as it is. */
  readonly traceparent?: string | undefined;
}

export interface StreamOptions {
  readonly actor: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A way to an authority. Sends once: repeating is the caller's business. Rejects with AgentKeysError or the signal's reason. */
export interface Transport {
  /** An operation by its wire name; resolves to its result, an object not yet checked against the contract. */
  call(id: string, input: JsonObject, options: SendOptions): Promise<JsonObject>;
  /**
   * A method beside the operations, `guard/begin` say; the error `method_not_found` where the server has none of that name. May
   * throw at once.
   */
  request(method: string, params: JsonObject, options: SendOptions): Promise<DirectResult>;
  /** A route beside `/mcp`, as the actor; resolves with the head of the answer. The signal ends the body too. */
  stream(route: string, options: StreamOptions, signal: AbortSignal): Promise<StreamAnswer>;
  close(): Promise<void>;
}
