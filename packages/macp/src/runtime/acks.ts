import { create } from "@bufbuild/protobuf";
import {
  AckSchema,
  MACPErrorSchema,
  SessionState,
  type Ack,
  type MACPError,
} from "../generated/macp/v1/envelope_pb.ts";
import type { Outcome } from "../kernel/kernel.ts";
import type { MacpErrorCode } from "../protocol/error-codes.ts";
import { toSessionState } from "./metadata.ts";

/** Why a message is refused, whoever refused it: this layer or the kernel. */
export interface Denial {
  readonly ok: false;
  /** Upstream's name for the case; travels as the error's message. */
  readonly variant: string;
  readonly code: MacpErrorCode;
  readonly reasons?: readonly string[];
}

export const unauthenticated: Denial = {
  ok: false,
  variant: "Unauthenticated",
  code: "UNAUTHENTICATED",
};
export const forbidden: Denial = { ok: false, variant: "Forbidden", code: "FORBIDDEN" };
export const rateLimited: Denial = { ok: false, variant: "RateLimited", code: "RATE_LIMITED" };

/** Which message an answer is about. */
export interface About {
  readonly sessionId: string;
  /** Empty for control requests. */
  readonly messageId: string;
}

/** `now` in unix ms: the time of the answer, a duplicate's too. */
export function toAck(outcome: Outcome | Denial, about: About, now: number): Ack {
  // Written out: `create` goes by the description, which for this one message is most of the answer's cost.
  const ack: Ack = {
    $typeName: AckSchema.typeName,
    ok: outcome.ok,
    duplicate: outcome.ok && outcome.duplicate,
    messageId: about.messageId,
    sessionId: about.sessionId,
    acceptedAtUnixMs: BigInt(now),
    sessionState: outcome.ok ? toSessionState(outcome.state) : SessionState.UNSPECIFIED,
  };
  if (!outcome.ok) ack.error = toError(outcome, about);
  return ack;
}

function toError(denial: Denial, { sessionId, messageId }: About): MACPError {
  const { code, variant: message } = denial;
  const details = detailsOf(denial);
  return create(MACPErrorSchema, { code, message, sessionId, messageId, details });
}

/**
 * The error that stands in a stream between envelopes. Its code is upstream's name of the case, as in the
 * reference runtime: clients of it match on that text, and ours reads either.
 */
export function toStreamError(denial: Denial, about: About): MACPError {
  const text = textOf(denial);
  return create(MACPErrorSchema, {
    code: text,
    message: text,
    ...about,
    details: detailsOf(denial),
  });
}

export function textOf({ variant, reasons }: Denial): string {
  return reasons === undefined || reasons.length === 0
    ? variant
    : `${variant}: ${reasons.join("; ")}`;
}

/** JSON; empty where there are no reasons to give. */
export function detailsOf({ reasons }: Denial): Uint8Array {
  return reasons === undefined
    ? new Uint8Array()
    : new TextEncoder().encode(JSON.stringify({ reasons }));
}
