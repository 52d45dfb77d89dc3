import { macpErrors, grpcStatus } from "../protocol/error-codes.ts";
import { statusError } from "../protocol/refusal.ts";
import { detailsOf, textOf, type Denial } from "./acks.ts";
import type { Authenticate, Credentials, Identity } from "./auth/identity.ts";

/** A refusal where it travels as the status of a call. */
export function denialError(denial: Denial, message = textOf(denial)): Error {
  const { status } = macpErrors[denial.code];
  const details = denial.reasons === undefined ? undefined : detailsOf(denial);
  return statusError({ status, message, details });
}

export function invalidArgument(message: string): Error {
  return statusError({ status: grpcStatus.INVALID_ARGUMENT, message });
}

export function unauthenticatedError(): Error {
  return statusError({ status: grpcStatus.UNAUTHENTICATED, message: "Unauthenticated" });
}

export function sessionNotFound(sessionId: string): Error {
  const message = `Session '${sessionId}' not found`;
  return statusError({ status: grpcStatus.NOT_FOUND, message });
}

/** The caller, or a failed call. */
export async function requireIdentity(
  authenticate: Authenticate,
  from: Credentials,
): Promise<Identity> {
  const identity = await authenticate(from);
  if (identity === undefined) throw unauthenticatedError();
  return identity;
}

export async function requireManager(
  authenticate: Authenticate,
  from: Credentials,
): Promise<Identity> {
  const identity = await requireIdentity(authenticate, from);
  if (identity.canManageModeRegistry) return identity;
  throw statusError({ status: grpcStatus.PERMISSION_DENIED, message: "Forbidden" });
}

/** Members and observers read a session. */
export function mayRead(
  identity: Identity,
  session: { readonly initiator: string; readonly participants: readonly string[] },
): boolean {
  return (
    identity.isObserver ||
    session.initiator === identity.sender ||
    session.participants.includes(identity.sender)
  );
}
