/**
 * The closed table of error codes. `jsonrpc` is the number on the MCP wire, `http` the status of the plain routes,
 * `grpc` the canonical gRPC status. `retry`: "idempotent" = idempotent calls only, "after" = after `Retry-After`,
 * "mint" = once, with a fresh capability. A null means that the code never travels on that wire.
 */
export const errorTable = {
  invalid_request: { jsonrpc: -32600, http: 400, grpc: 3, retry: "no" },
  method_not_found: { jsonrpc: -32601, http: 400, grpc: 12, retry: "no" },
  tool_not_found: { jsonrpc: -32601, http: 400, grpc: 5, retry: "no" },
  invalid_params: { jsonrpc: -32602, http: 400, grpc: 3, retry: "no" },
  unauthorized: { jsonrpc: -32001, http: 401, grpc: 16, retry: "no" },
  forbidden: { jsonrpc: -32003, http: 403, grpc: 7, retry: "no" },
  actor_mismatch: { jsonrpc: -32003, http: 403, grpc: 7, retry: "no" },
  actor_revoked: { jsonrpc: -32003, http: 403, grpc: 7, retry: "no" },
  cap_expired: { jsonrpc: -32000, http: 403, grpc: 7, retry: "mint" },
  cap_revoked: { jsonrpc: -32000, http: 403, grpc: 7, retry: "no" },
  cap_unknown: { jsonrpc: -32000, http: 404, grpc: 5, retry: "no" },
  not_found: { jsonrpc: -32000, http: 404, grpc: 5, retry: "no" },
  not_implemented_in_v1: { jsonrpc: -32000, http: 501, grpc: 12, retry: "no" },
  backend_error: { jsonrpc: -32000, http: 502, grpc: 13, retry: "no" },
  scope_denied: { jsonrpc: -32000, http: 403, grpc: 7, retry: "no" },
  permission_denied: { jsonrpc: null, http: null, grpc: 7, retry: "no" },
  approval_required: { jsonrpc: null, http: null, grpc: 9, retry: "no" },
  authority_unavailable: { jsonrpc: null, http: 503, grpc: 14, retry: "idempotent" },
  audit_unavailable: { jsonrpc: -32000, http: 502, grpc: 14, retry: "no" },
  input_not_copyable: { jsonrpc: null, http: null, grpc: 3, retry: "no" },
  config_invalid: { jsonrpc: null, http: null, grpc: 3, retry: "no" },
  conflict: { jsonrpc: -32000, http: 409, grpc: 6, retry: "no" },
  payload_too_large: { jsonrpc: -32000, http: 413, grpc: 8, retry: "no" },
  rate_limited: { jsonrpc: -32000, http: 429, grpc: 8, retry: "after" },
  approval_pending: { jsonrpc: -32000, http: 409, grpc: 9, retry: "no" },
  approval_expired: { jsonrpc: -32000, http: 409, grpc: 9, retry: "no" },
  already_decided: { jsonrpc: -32000, http: 409, grpc: 6, retry: "no" },
  already_executed: { jsonrpc: -32000, http: 409, grpc: 6, retry: "no" },
  outcome_unknown: { jsonrpc: -32000, http: 409, grpc: 9, retry: "no" },
  internal: { jsonrpc: -32603, http: 500, grpc: 13, retry: "no" },
} as const satisfies Record<
  string,
  {
    jsonrpc: number | null;
    http: number | null;
    grpc: number;
    retry: "no" | "idempotent" | "after" | "mint";
  }
>;

export type ErrorCode = keyof typeof errorTable;

const brand = Symbol.for("agentkeys.error");

export interface AgentKeysErrorOptions {
  /** Facts a program may read: reason, explanation, field, … Never a secret. */
  data?: Readonly<Record<string, unknown>>;
  cause?: unknown;
}

/** The one error class. `message` is the server's own text where a server answered. */
export class AgentKeysError extends Error {
  readonly code: ErrorCode;
  readonly data: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, message: string, options: AgentKeysErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.name = "AgentKeysError";
    this.code = code;
    this.data = options.data;
    Object.defineProperty(this, brand, { value: true });
  }

  /** Works across copies of this package: recognised by brand, not by prototype. `code` narrows further. */
  static is(error: unknown, code?: ErrorCode): error is AgentKeysError {
    return (
      typeof error === "object" &&
      error !== null &&
      brand in error &&
      (code === undefined || (error as unknown as AgentKeysError).code === code)
    );
  }

  /** Any thrown value as an AgentKeysError; what is unknown becomes `internal` with the original as `cause`. */
  static from(error: unknown): AgentKeysError {
    return AgentKeysError.is(error)
      ? error
      : new AgentKeysError("internal", "internal error", { cause: error });
  }

  /** Code, message and data; never the cause, never a stack. */
  toJSON(): { name: string; code: ErrorCode; message: string; data?: unknown } {
    const { name, code, message, data } = this;
    return data === undefined ? { name, code, message } : { name, code, message, data };
  }
}

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === "string" && Object.hasOwn(errorTable, value);
}

/** Upstream's texts for the numbers that several codes share; the first match wins. */
const byText: Readonly<Record<number, readonly (readonly [RegExp, ErrorCode])[]>> = {
  [-32601]: [[/^tool not found: /, "tool_not_found"]],
  [-32003]: [
    [/^actor mismatch: /, "actor_mismatch"],
    [/^actor revoked: /, "actor_revoked"],
  ],
  [-32000]: [
    [/^not_implemented_in_v1$/, "not_implemented_in_v1"],
    [/^audit_append failed: /, "audit_unavailable"],
    [/cap expired: |cap_freshness_failed.*|cap expired at /, "cap_expired"],
    [/cap revoked: /, "cap_revoked"],
    [/cap not minted by this backend: |unknown cap_id: /, "cap_unknown"],
    [/service_not_in_scope/, "scope_denied"],
    [/backend HTTP error \(404\): /, "not_found"],
  ],
};

const byNumber: Readonly<Record<number, ErrorCode>> = {
  [-32700]: "invalid_request",
  [-32600]: "invalid_request",
  [-32601]: "method_not_found",
  [-32602]: "invalid_params",
  [-32603]: "internal",
  [-32001]: "unauthorized",
  [-32003]: "forbidden",
  [-32000]: "backend_error",
};

/** A JSON-RPC error object as an AgentKeysError: by number, then by upstream's text, then by our server's `data.code`. */
export function fromJsonRpcError(error: {
  code: number;
  message: string;
  data?: unknown;
}): AgentKeysError {
  const data =
    typeof error.data === "object" && error.data !== null
      ? (error.data as Readonly<Record<string, unknown>>)
      : undefined;
  const text = byText[error.code]?.find(([pattern]) => pattern.test(error.message))?.[1];
  const ours = isErrorCode(data?.["code"]) ? data["code"] : undefined;
  const code = text ?? ours ?? byNumber[error.code] ?? "backend_error";
  return new AgentKeysError(code, error.message, data === undefined ? {} : { data });
}
