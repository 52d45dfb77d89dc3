import type {
  ApprovalDecision,
  ApprovalRule,
  ApprovalStatus,
  AuditEnvelope,
} from "@agentkeys/contract";
import type { Begun, GuardCallRow, GuardOutcome, LogEntry } from "../store/store-rows.ts";

/** One question to a person as it is stored. Times are unix seconds. */
export interface ApprovalRow {
  readonly id: string;
  readonly kind: "guard" | "review";
  /** Names the guarded call that it is about (`callKey`); a review is about none. */
  readonly call: Uint8Array | undefined;
  readonly actor: string;
  readonly operator_omni: string;
  readonly tool: string;
  readonly scope: string | null;
  readonly call_id: string;
  readonly run_key: string | undefined;
  readonly input_digest: string;
  /** Of the attempt that asked. */
  readonly begin_id: string;
  /** The client asked because it was not sure; such an answer is never remembered. */
  readonly uncertain: boolean;
  readonly text_digest: string;
  readonly digest: string;
  readonly policy_version: string;
  readonly reason: string;
  readonly explanation: string;
  readonly created_at: number;
  readonly expires_at: number;
  /** Ciphertext of text, params and clear fields. */
  readonly shown: Uint8Array;
  /** Ciphertext of the input, gone once decided. */
  readonly input: Uint8Array | undefined;
  readonly status: ApprovalStatus;
  readonly decided: ApprovalDecision | undefined;
  /** Envelope hash of the intent that asked. */
  readonly intent: string | undefined;
  /** The attempt that used the grant, and when. */
  readonly executed: { readonly begin_id: string; readonly at: number } | undefined;
  /** Grows with every change of any approval: what a reader resumes after. */
  readonly changed: number;
}

/** An approval that is not written yet. */
export type NewApproval = Omit<ApprovalRow, "changed" | "intent">;

/** Fields undefined in a filter are not looked at. */
export interface ApprovalFilter {
  readonly actor?: string | undefined;
  readonly operator_omni?: string | undefined;
  readonly tool?: string | undefined;
  readonly call_id?: string | undefined;
  readonly run_key?: string | undefined;
  readonly input_digest?: string | undefined;
  readonly status?: string | undefined;
}

/** A decision that ends an approval's wait, or voids a grant, with its record. */
export interface ApprovalChange {
  readonly status: Exclude<ApprovalStatus, "pending">;
  readonly decided: ApprovalDecision;
  readonly record: AuditEnvelope;
  readonly rule?: { readonly rule: ApprovalRule; readonly record: AuditEnvelope } | undefined;
}

/** What a call gave, for whoever meets it again. Times are unix seconds. */
export interface StoredResult {
  /** Ciphertext. */
  readonly sealed: Uint8Array;
  readonly kept_until: number;
}

/** What is known of a call when it is met. Each field is looked up when it is read. */
export interface KnownCall {
  /** The approval that was named, where it is for this very call; else the latest one for it. */
  readonly approval: ApprovalRow | undefined;
  /** The latest attempt that was accepted and is remembered. `result`: ciphertext. */
  readonly earlier:
    | {
        readonly begin_id: string;
        readonly outcome: GuardOutcome | null;
        readonly result: Uint8Array | undefined;
      }
    | undefined;
  /** Remembered decisions about this actor's tool that hold. */
  readonly rules: readonly ApprovalRule[];
  /** How many answers the actor waits for. */
  readonly pending: number;
  readonly revoked: boolean;
}

/** What is to be written of an attempt; without `write` nothing is. */
export interface CallPlan {
  readonly write?:
    | {
        readonly row: GuardCallRow;
        readonly intent: AuditEnvelope;
        /** Asks. */
        readonly opens?: NewApproval | undefined;
        /** Uses up this grant. */
        readonly uses?: string | undefined;
        /** When the call is met again this attempt is found. */
        readonly remembered?: boolean | undefined;
      }
    | undefined;
  /** Its time has run out: written whatever else is. */
  readonly expires?: { readonly id: string; readonly change: ApprovalChange } | undefined;
}

/** An attempt at a call that may have been met before. */
export interface Attempt {
  readonly begin_id: string;
  readonly actor: string;
  readonly request_digest: string;
  readonly tool: string;
  readonly call: Uint8Array;
  /** An approval that the client names; it counts only where `binds` says so. */
  readonly grant: string | undefined;
  readonly binds: (approval: ApprovalRow) => boolean;
  /** Unix seconds. */
  readonly now: number;
  /** Bytes that it may write, roughly. */
  readonly size: number;
}

export type MetResult<P extends CallPlan> =
  | { readonly kind: "planned"; readonly plan: P; readonly entry: LogEntry | undefined }
  | ({ readonly kind: "repeated" } & Begun)
  | { readonly kind: "conflict" }
  | { readonly kind: "ended_before" };

/** The part of the store port that answers to people. Each writing method is one durable transaction. */
export interface ApprovalStore {
  /**
   * A begin that looks at what is known of its call: `plan` decides inside the transaction, may be called twice and changes
   * nothing. What the plan says is written, or nothing is. A known `begin_id` is answered as `begin` answers it.
   */
  meet<P extends CallPlan>(attempt: Attempt, plan: (known: KnownCall) => P): Promise<MetResult<P>>;
  approval(id: string): Promise<ApprovalRow | undefined>;
  /** In the order of asking, after the approval `after`, at most `limit`. */
  approvals(
    filter: ApprovalFilter,
    page?: { after?: string | undefined; limit?: number },
  ): Promise<ApprovalRow[]>;
  /** Those that changed after `changed`, in that order; `head` is the number of the last change of all. */
  approvalChanges(
    changed: number,
    filter: ApprovalFilter,
    limit: number,
  ): Promise<{ rows: ApprovalRow[]; head: number }>;
  /** Asks without a call. */
  openApproval(approval: NewApproval, record: AuditEnvelope): Promise<ApprovalRow>;
  /** Changes an approval as `plan` says; undefined = leaves it. Answers with it as it stands afterwards; undefined: no such one. */
  changeApproval(
    id: string,
    plan: (approval: ApprovalRow) => ApprovalChange | undefined,
  ): Promise<{ approval: ApprovalRow; entry: LogEntry | undefined } | undefined>;
  /** Ids of pending approvals whose time has run out, at most `limit`. */
  overdueApprovals(now: number, limit: number): Promise<string[]>;
  /** Until when, in unix seconds, calls of these actors must be looked up. */
  askedActors(now: number): Promise<ReadonlyMap<string, number>>;

  /** In the order of making; `operator_omni` undefined = everybody's. */
  rules(operator_omni: string | undefined): Promise<ApprovalRule[]>;
  rule(id: string): Promise<ApprovalRule | undefined>;
  /** Repeating it keeps the first time and writes no second record. Undefined: no such rule. */
  revokeRule(
    id: string,
    at: number,
    record: AuditEnvelope,
  ): Promise<{ rule: ApprovalRule; entry: LogEntry | undefined } | undefined>;

  /** Drops the results of a run's calls, which stay known. Gives their number. */
  forgetResults(run: Uint8Array): Promise<number>;
  /** Drops the results whose time is over. */
  forgetOldResults(now: number): Promise<void>;
}
