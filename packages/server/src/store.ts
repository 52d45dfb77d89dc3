import type { AuditEnvelope } from "@agentkeys/contract";

/** Milliseconds since 1970, as `Date.now`. */
export type Clock = () => number;

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
  /** The answer given, so that a repeated begin gets the same one. JSON text. */
  readonly answer: string;
}

/** Times are unix seconds. */
export interface CapRow {
  readonly nonce: string;
  readonly actor: string;
  readonly expires_at: number;
  readonly revoked_at: number | undefined;
}

/** What became of a `guard/end`. */
export type EndResult =
  | { readonly kind: "ended"; readonly entry: LogEntry }
  | { readonly kind: "repeated"; readonly envelope_hash: string }
  | { readonly kind: "conflict" }
  | { readonly kind: "unknown" };

/**
 * The store port. One conformance suite tests every implementation.
 * Each writing method is atomic, together with its record, and resolves only after the commit is durable;
 * when it cannot be made durable it rejects with AgentKeysError("audit_unavailable") and nothing of it is kept.
 */
export interface Store {
  append(envelope: AuditEnvelope): Promise<LogEntry>;
  /** Canonical bytes of a record, by hash (`0x` optional, any case). The same record may lie in the log twice. */
  envelope(hash: string): Promise<Uint8Array | undefined>;
  /** Entries with a seq above `after`, in order, at most `limit`. */
  entriesAfter(after: number, limit: number): Promise<LogEntry[]>;
  /** Called with each batch after its commit, in order; must not throw. Returns the unsubscribe function. */
  subscribe(listener: (entries: readonly LogEntry[]) => void): () => void;

  putMemory(
    note: { actor: string; namespace: string; blob: Uint8Array },
    envelope: AuditEnvelope,
  ): Promise<LogEntry>;
  memory(actor: string, namespace: string): Promise<Uint8Array | undefined>;
  putCredential(
    credential: { owner: string; service: string; blob: Uint8Array },
    envelope: AuditEnvelope,
  ): Promise<LogEntry>;
  credential(owner: string, service: string): Promise<Uint8Array | undefined>;

  putCap(cap: CapRow, envelope: AuditEnvelope | undefined): Promise<void>;
  cap(nonce: string): Promise<CapRow | undefined>;
  /** Marks it revoked at `at` (unix seconds); the record is written for `revoked` only. */
  revokeCap(
    nonce: string,
    at: number,
    envelope: AuditEnvelope | undefined,
  ): Promise<"revoked" | "already" | "unknown">;

  /** Repeating it keeps the first time and reason, and writes no second record. */
  revokeActor(
    revocation: { actor: string; reason: string; at: number },
    envelope: AuditEnvelope,
  ): Promise<{ revoked_at: number; envelope_hash: string }>;
  /** Every revoked actor: loaded at start, kept in memory by the authority. */
  revokedActors(): Promise<ReadonlyMap<string, { revoked_at: number; reason: string }>>;

  /**
   * Writes the intent and the call. `repeated`: the id is known with the same request (its row is given back, nothing is
   * written); `conflict`: known with another request; `ended_before`: an end came first (a tombstone): nothing is written.
   */
  begin(
    row: GuardCallRow,
    intent: AuditEnvelope,
  ): Promise<
    | { readonly kind: "begun"; readonly entry: LogEntry }
    | { readonly kind: "repeated"; readonly row: GuardCallRow; readonly envelope_hash: string }
    | { readonly kind: "conflict" }
    | { readonly kind: "ended_before" }
  >;
  /** The row of a begin, for the outcome's record. Another actor's row is undefined. */
  guardCall(
    begin_id: string,
    actor: string,
  ): Promise<{ row: GuardCallRow; envelope_hash: string } | undefined>;
  /**
   * Writes the outcome once. The outcome that stands again is `repeated`; after `suspended` another one may follow, every other
   * outcome is final and a different one is `conflict`. `unknown`: that actor has no such begin.
   */
  end(
    end: { begin_id: string; actor: string; outcome: GuardOutcome },
    outcome: AuditEnvelope,
  ): Promise<EndResult>;
  /**
   * Remembers, for an hour at least, that an end came before its begin, so that the begin answers deny.
   * `begun`: the actor's begin was written in the meantime; nothing is remembered and `end` will find it.
   */
  endBeforeBegin(begin_id: string, actor: string): Promise<"noted" | "begun">;

  /** The wrapped data key of an actor (or of `authority` itself); the first writer wins and everybody gets the winner's. */
  actorKey(actor: string, fresh: () => Uint8Array): Promise<Uint8Array>;

  /** Resolves after a small durable write (no record), rejects like the others: may the log be written right now? */
  ready(): Promise<void>;

  /** Commits what was asked for before, then refuses everything. Closing twice is fine. */
  close(): Promise<void>;
}
