import type { ErrorCode } from "@agentkeys/contract";

/** gRPC's numbers. */
export const grpcStatus = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

export type GrpcStatus = (typeof grpcStatus)[keyof typeof grpcStatus];

interface ErrorRow {
  /** Where the refusal travels as a gRPC status instead of in an Ack. */
  readonly status: GrpcStatus;
  /** The AgentKeys code that a client throws for it. */
  readonly code: ErrorCode;
  /** Whether the same message may succeed when sent again later. */
  readonly retry: boolean;
}

const row = (status: keyof typeof grpcStatus, code: ErrorCode, retry = false): ErrorRow => ({
  status: grpcStatus[status],
  code,
  retry,
});

/** The protocol's registry of error codes, as they stand in `MACPError.code`. */
export const macpErrors = {
  UNSUPPORTED_PROTOCOL_VERSION: row("FAILED_PRECONDITION", "invalid_request"),
  INVALID_ENVELOPE: row("FAILED_PRECONDITION", "invalid_params"),
  SESSION_ALREADY_EXISTS: row("ALREADY_EXISTS", "conflict"),
  SESSION_NOT_FOUND: row("NOT_FOUND", "not_found"),
  SESSION_NOT_OPEN: row("FAILED_PRECONDITION", "conflict"),
  MODE_NOT_SUPPORTED: row("FAILED_PRECONDITION", "invalid_params"),
  FORBIDDEN: row("PERMISSION_DENIED", "forbidden"),
  UNAUTHENTICATED: row("UNAUTHENTICATED", "unauthorized"),
  DUPLICATE_MESSAGE: row("ALREADY_EXISTS", "conflict"),
  PAYLOAD_TOO_LARGE: row("RESOURCE_EXHAUSTED", "payload_too_large"),
  RATE_LIMITED: row("RESOURCE_EXHAUSTED", "rate_limited", true),
  INTERNAL_ERROR: row("INTERNAL", "backend_error", true),
  INVALID_SESSION_ID: row("INVALID_ARGUMENT", "invalid_params"),
  UNKNOWN_POLICY_VERSION: row("FAILED_PRECONDITION", "invalid_params"),
  POLICY_DENIED: row("FAILED_PRECONDITION", "permission_denied"),
  INVALID_POLICY_DEFINITION: row("INVALID_ARGUMENT", "invalid_params"),
  UNAUTHORIZED: row("PERMISSION_DENIED", "forbidden"),
  HISTORY_UNAVAILABLE: row("FAILED_PRECONDITION", "not_found"),
  RECEIPT_UNAVAILABLE: row("FAILED_PRECONDITION", "not_found"),
} as const satisfies Readonly<Record<string, ErrorRow>>;

export type MacpErrorCode = keyof typeof macpErrors;

/**
 * The kernel's finer names. The reference runtime puts them into `message` of an Ack's error and into
 * `code` of an error on a stream; a client turns both back into the registry's code.
 */
export const refusalVariants = {
  InvalidMacpVersion: "UNSUPPORTED_PROTOCOL_VERSION",
  InvalidEnvelope: "INVALID_ENVELOPE",
  InvalidPayload: "INVALID_ENVELOPE",
  InvalidTtl: "INVALID_ENVELOPE",
  InvalidModeState: "INVALID_ENVELOPE",
  SessionAlreadyExists: "SESSION_ALREADY_EXISTS",
  UnknownSession: "SESSION_NOT_FOUND",
  SessionNotOpen: "SESSION_NOT_OPEN",
  TtlExpired: "SESSION_NOT_OPEN",
  UnknownMode: "MODE_NOT_SUPPORTED",
  Forbidden: "FORBIDDEN",
  Unauthenticated: "UNAUTHENTICATED",
  DuplicateMessage: "DUPLICATE_MESSAGE",
  PayloadTooLarge: "PAYLOAD_TOO_LARGE",
  RateLimited: "RATE_LIMITED",
  StorageFailed: "INTERNAL_ERROR",
  InvalidSessionId: "INVALID_SESSION_ID",
  UnknownPolicyVersion: "UNKNOWN_POLICY_VERSION",
  PolicyDenied: "POLICY_DENIED",
  InvalidPolicyDefinition: "INVALID_POLICY_DEFINITION",
} as const satisfies Readonly<Record<string, MacpErrorCode>>;

export type RefusalVariant = keyof typeof refusalVariants;

/** A registry code, a variant, or a text that starts with one (`PolicyDenied: …`); undefined for anything else. */
export function toMacpErrorCode(text: string): MacpErrorCode | undefined {
  const word = /^\w+/.exec(text)?.[0] ?? "";
  if (Object.hasOwn(macpErrors, word)) return word as MacpErrorCode;
  return Object.hasOwn(refusalVariants, word) ? refusalVariants[word as RefusalVariant] : undefined;
}
