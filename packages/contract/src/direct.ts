/**
 * An authority in the same process answers text with text under this property of its `fetch`, so that an embedded
 * client need not build Request and Response objects. A `fetch` without it is used as any other.
 */
export const direct: unique symbol = Symbol.for("agentkeys.direct");

export interface DirectRequest {
  /** Path and query. */
  readonly path: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Rejects with its reason; what has begun goes on. */
  readonly signal: AbortSignal;
}

export interface DirectAnswer {
  readonly status: number;
  /** The header of that name, where there is one. */
  readonly retryAfter: string | undefined;
  readonly body: string;
}

/** One POST. */
export type Direct = (request: DirectRequest) => Promise<DirectAnswer>;
