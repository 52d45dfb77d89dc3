/**
 * What an authority in the same process has under this property of its `fetch`, so that an embedded client need not
 * build Request and Response objects. A `fetch` without it is used as any other.
 */
export const direct: unique symbol = Symbol.for("agentkeys.direct");

export interface DirectRequest {
  /** Path and query. */
  readonly path: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface DirectAnswer {
  readonly status: number;
  /** The header of that name, where there is one. */
  readonly retryAfter: string | undefined;
  readonly body: string;
}

/** A JSON-RPC method beside the operations, `guard/begin` say. */
export interface DirectCall {
  readonly headers: Readonly<Record<string, string>>;
  readonly method: string;
  /** Plain JSON data; read before the first await. */
  readonly params: Readonly<Record<string, unknown>>;
}

/** What the answer's `result` or `error` would be. */
export type DirectResult =
  | { readonly result: unknown }
  | { readonly error: { code: number; message: string; data?: unknown } };

export interface Direct {
  /** One POST. */
  post(request: DirectRequest): Promise<DirectAnswer>;
  /** The same as posting the call to `/mcp`, without making texts of it. Never rejects. */
  call(call: DirectCall): Promise<DirectResult>;
}
