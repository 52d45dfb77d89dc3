import type { AuditEnvelope } from "@agentkeys/contract";
import type {
  ApprovalChange,
  ApprovalRow,
  ApprovalStore,
  StoredResult,
} from "../approvals/approval-store.ts";
import type { Begun, GuardCallRow, GuardOutcome, LogEntry } from "./store-rows.ts";

export type { Begun, GuardCallRow, GuardOutcome, LogEntry } from "./store-rows.ts";

/** Milliseconds since 1970, as `Date.now`. */
export type Clock = () => number;

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
  | { readonly kind: "refused" }
  | { readonly kind: "unknown" };

/**
 * The store port. One conformance suite tests every implementation.
 * Each writing method is atomic, together with its record, and resolves only after the commit is durable;
 * when it cannot be made durable it rejects with AgentKeysError("audit_unavailable") and nothing of it is kept.
 */
export interface Store extends ApprovalStore {
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

  /**
   * Repeating it keeps the first time and reason, and writes no second record. What the actor still waits for is ended as `toDenied`
   * says, in the same transaction.
   */
  revokeActor(
    revocation: { actor: string; reason: string; at: number },
    envelope: AuditEnvelope,
    toDenied: (approval: ApprovalRow) => ApprovalChange,
  ): Promise<{ revoked_at: number; envelope_hash: string }>;
  /** Every revoked actor: loaded at start, kept in memory by the authority. */
  revokedActors(): Promise<ReadonlyMap<string, { revoked_at: number; reason: string }>>;

  /**
   * Writes the intent, which is of the row's actor and operator, and the call. `repeated`: the id is known with the same request (its row is given back, nothing is
   * written); `conflict`: known with another request; `ended_before`: an end came first (a tombstone): nothing is written.
   */
  begin(
    row: GuardCallRow,
    intent: AuditEnvelope,
  ): Promise<
    | { readonly kind: "begun"; readonly entry: LogEntry }
    | ({ readonly kind: "repeated" } & Begun)
    | { readonly kind: "conflict" }
    | { readonly kind: "ended_before" }
  >;
  /** Another actor's begin is undefined. */
  guardCall(begin_id: string, actor: string): Promise<Begun | undefined>;
  /**
   * Writes the outcome that `toOutcome` makes of the begin. The outcome that stands again is `repeated`; after `suspended` another
   * one may follow, every other outcome is final and a different one is `conflict`. `refused`: the verdict was not `accept`.
   * `unknown`: that actor has no such begin. `toOutcome` may be called twice and changes nothing. `result` is kept where the call
   * has a run key or ran on a grant.
   */
  end(
    end: {
      begin_id: string;
      actor: string;
      outcome: GuardOutcome;
      result?: StoredResult | undefined;
    },
    toOutcome: (begun: Begun) => AuditEnvelope,
  ): Promise<EndResult>;
  /**
   * Remembers, for an hour at least, that an end came before its begin, so that the begin answers deny.
   * `begun`: the actor's begin was written in the meantime; nothing is remembered and `end` will find it.
   */
  endBeforeBegin(begin_id: string, actor: string): Promise<"noted" | "begun">;

  /** The wrapped data key of an actor (or of `authority` itself); the first writer wins and everybody gets the winner's. */
  actorKey(actor: string, fresh: () => Uint8Array): Promise<Uint8Array>;

  /** Resolves after a small durable write (no record), rejects like the others: may the log be written, and for a while yet? */
  ready(): Promise<void>;

  /** Commits what was asked for before, then refuses everything. Closing twice is fine. */
  close(): Promise<void>;
}
