/**
 * An envelope as the kernel reads it. Every generated `macp.v1.Envelope` is one; `sender` is the authenticated sender by the time
 * it gets here.
 */
export interface Envelope {
  readonly macpVersion: string;
  readonly mode: string;
  readonly messageType: string;
  readonly messageId: string;
  /** Empty for Signals and for Progress of no session. */
  readonly sessionId: string;
  readonly sender: string;
  /** The client's clock, unix milliseconds. Informational, but a SessionStart's starts the deadline. */
  readonly timestampUnixMs: bigint;
  readonly payload: Uint8Array;
}

/** An envelope of a session's history with its place in it: 1 is the SessionStart. */
export interface AcceptedEnvelope {
  readonly ordinal: number;
  readonly envelope: Envelope;
}
