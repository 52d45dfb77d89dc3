import type { Log } from "../client/log.ts";
import type { Backoff } from "../client/retry.ts";
import type { Accepted, SessionEvent, SessionInfo } from "../client/session-info.ts";
import type { CallOptions, Transport } from "../client/transport.ts";
import type { Envelope } from "../generated/macp/v1/envelope_pb.ts";
import type { Auth } from "../protocol/auth.ts";

/** What sessions need of a client. Calls reject with AgentKeysError; a refused message does too, with `macp_code`. */
export interface SessionHost {
  readonly transport: Transport;
  /** Who calls where a call names nobody. */
  readonly auth?: Auth | undefined;
  /** Between two tries of a stream that was cut. */
  readonly backoff: Backoff;
  readonly log: Log;
  /** Aborted when the client is closed, and its sessions with it. */
  readonly closed: AbortSignal;
  /** Resolves for duplicates too. */
  send(envelope: Envelope, options?: CallOptions): Promise<Accepted>;
  getSession(sessionId: string, options?: CallOptions): Promise<SessionInfo>;
  /** How every session stands, then what happens, resumed when it is cut. */
  watchSessions(options?: CallOptions): AsyncIterable<SessionEvent>;
  cancelSession(sessionId: string, reason: string, options?: CallOptions): Promise<Accepted>;
  suspendSession(sessionId: string, reason: string, options?: CallOptions): Promise<Accepted>;
  resumeSession(sessionId: string, reason: string, options?: CallOptions): Promise<Accepted>;
}
