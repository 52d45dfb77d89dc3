import { AgentKeysError, type ErrorCode } from "@agentkeys/contract";
import { z } from "zod";
import type { Ack, MACPError } from "../generated/macp/v1/envelope_pb.ts";
import {
  type GrpcStatus,
  grpcStatus,
  macpErrors,
  type MacpErrorCode,
  toMacpErrorCode,
} from "./error-codes.ts";

/** One reason of a policy, e.g. `threshold_not_met`. */
export interface Denial {
  readonly code: string;
  readonly message: string;
}

/** Why a runtime refused a message. */
export interface Refusal {
  /** The registry's code. */
  readonly code: MacpErrorCode;
  /** The runtime's own text. */
  readonly message: string;
  readonly sessionId: string;
  readonly messageId: string;
  /** What the policy or the mode gave as reasons; empty for most codes. */
  readonly reasons: readonly string[];
  /** The same for programs, from runtimes that give them. */
  readonly denials: readonly Denial[];
}

/** A failed call, as gRPC says it. In process the same, without gRPC. */
export interface StatusFailure {
  readonly status: GrpcStatus;
  readonly message: string;
  /** The `macp-error-details-bin` trailer: JSON with `reasons`. */
  readonly details?: Uint8Array | undefined;
  readonly cause?: unknown;
}

/** The error that a client throws for `MACPError`, of an Ack or of a stream. */
export function refusalError(error: MACPError, ack?: Ack): AgentKeysError {
  const macpCode = toMacpErrorCode(error.code) ?? toMacpErrorCode(error.message);
  const text = error.message === "" ? error.code : error.message;
  return new AgentKeysError(
    macpCode === undefined ? "backend_error" : macpErrors[macpCode].code,
    text,
    {
      data: {
        macp_code: macpCode ?? error.code,
        session_id: error.sessionId || (ack?.sessionId ?? ""),
        message_id: error.messageId || (ack?.messageId ?? ""),
        ...toGrounds(error.details),
      },
    },
  );
}

/** The error of a failed call: what a transport throws, and what the runtime's own calls throw in process. */
export function statusError({ status, message, details, cause }: StatusFailure): AgentKeysError {
  const macpCode = toMacpErrorCode(message);
  const code = macpCode === undefined ? codeOf(status, message) : macpErrors[macpCode].code;
  return new AgentKeysError(code, message, {
    data: {
      grpc_status: status,
      ...(macpCode === undefined ? {} : { macp_code: macpCode }),
      ...(details === undefined ? {} : toGrounds(details)),
    },
    ...(cause === undefined ? {} : { cause }),
  });
}

/** The runtime's refusal behind an error; undefined where the error is something else. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (!AgentKeysError.is(error)) return undefined;
  const { macp_code: code, session_id, message_id, reasons, denials } = error.data ?? {};
  const known = typeof code === "string" ? toMacpErrorCode(code) : undefined;
  if (known === undefined) return undefined;
  return {
    code: known,
    message: error.message,
    sessionId: typeof session_id === "string" ? session_id : "",
    messageId: typeof message_id === "string" ? message_id : "",
    reasons: Array.isArray(reasons) ? (reasons as string[]) : [],
    denials: Array.isArray(denials) ? (denials as Denial[]) : [],
  };
}

/** The gRPC status behind an error; undefined where no call failed. */
export function statusOf(error: unknown): GrpcStatus | undefined {
  const status = AgentKeysError.is(error) ? error.data?.["grpc_status"] : undefined;
  return typeof status === "number" ? (status as GrpcStatus) : undefined;
}

/** Both ends of gRPC have a limit for messages, and say so with statuses that have other meanings too. */
function codeOf(status: GrpcStatus, message: string): ErrorCode {
  const limit = status === grpcStatus.RESOURCE_EXHAUSTED || status === grpcStatus.OUT_OF_RANGE;
  return limit && /larger than|too large/.test(message) ? "payload_too_large" : byStatus[status];
}

const byStatus: Readonly<Record<GrpcStatus, ErrorCode>> = {
  [grpcStatus.OK]: "internal",
  [grpcStatus.CANCELLED]: "authority_unavailable",
  [grpcStatus.UNKNOWN]: "backend_error",
  [grpcStatus.INVALID_ARGUMENT]: "invalid_params",
  [grpcStatus.DEADLINE_EXCEEDED]: "authority_unavailable",
  [grpcStatus.NOT_FOUND]: "not_found",
  [grpcStatus.ALREADY_EXISTS]: "conflict",
  [grpcStatus.PERMISSION_DENIED]: "forbidden",
  [grpcStatus.RESOURCE_EXHAUSTED]: "rate_limited",
  [grpcStatus.FAILED_PRECONDITION]: "conflict",
  [grpcStatus.ABORTED]: "conflict",
  [grpcStatus.OUT_OF_RANGE]: "invalid_params",
  [grpcStatus.UNIMPLEMENTED]: "method_not_found",
  [grpcStatus.INTERNAL]: "backend_error",
  [grpcStatus.UNAVAILABLE]: "authority_unavailable",
  [grpcStatus.DATA_LOSS]: "backend_error",
  [grpcStatus.UNAUTHENTICATED]: "unauthorized",
};

const Details = z.object({
  reasons: z.array(z.string()).default([]),
  denials: z.array(z.object({ code: z.string(), message: z.string() })).default([]),
});

/** `{"reasons":[…]}`, and `denials` from newer runtimes. Anything else has neither. */
function toGrounds(details: Uint8Array): z.infer<typeof Details> {
  try {
    return Details.parse(JSON.parse(new TextDecoder().decode(details)));
  } catch {
    return { reasons: [], denials: [] };
  }
}
