/** A durable record: its place in the log, its keccak256 and its canonical bytes. */
export interface LogEntry {
  /** 1, 2, 3, … without gaps. */
  readonly seq: number;
  /** `0x` and 64 lower-case digits. */
  readonly envelope_hash: string;
  readonly bytes: Uint8Array;
}

export type GuardOutcome = "ok" | "error" | "aborted" | "not_run" | "suspended";

/** One attempt of a guarded call, keyed by the client's `begin_id`. */
export interface GuardCallRow {
  readonly begin_id: string;
  readonly actor: string;
  /** For whom the intent was written; the outcome is written for the same. */
  readonly operator_omni: string;
  /** Digest of the whole begin request: the same id with another body is a conflict. */
  readonly request_digest: string;
  readonly tool: string;
  readonly call_id: string;
  readonly run_key: string | undefined;
  readonly verdict: string;
  /** The answer given, so that a repeated begin gets the same one. Plain JSON. */
  readonly answer: unknown;
}

/** A call that began, and the hash of its intent. */
export interface Begun {
  readonly row: GuardCallRow;
  readonly envelope_hash: string;
}
