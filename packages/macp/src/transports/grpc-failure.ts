import { Metadata, type ServiceError } from "@grpc/grpc-js";
import type { AgentKeysError } from "@agentkeys/contract";
import { type Auth, authorizationOf } from "../protocol/auth.ts";
import { statusError } from "../protocol/refusal.ts";
import { detailsTrailer } from "./grpc-details.ts";

/** The credential, where there is one. */
export function credentials(auth: Auth | undefined): Metadata {
  const metadata = new Metadata();
  if (auth !== undefined) metadata.set("authorization", authorizationOf(auth));
  return metadata;
}

/** What a client throws for a call that grpc-js reports as failed. */
export function toFailure(error: unknown): AgentKeysError {
  const { code = 2, details = "", metadata } = error as Partial<ServiceError>;
  const trailer = metadata?.get(detailsTrailer)[0];
  return statusError({
    status: code,
    message: details,
    ...(trailer instanceof Uint8Array ? { details: trailer } : {}),
    cause: error,
  });
}
