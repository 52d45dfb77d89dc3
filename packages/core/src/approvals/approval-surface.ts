import type { Approval, ApprovalRule, ApprovalStatus } from "@agentkeys/contract";

/** Which approvals; all of them where nothing is said. */
export interface ApprovalFilter {
  status?: ApprovalStatus | undefined;
  tool?: string | undefined;
  callId?: string | undefined;
  inputDigest?: string | undefined;
  runKey?: string | undefined;
}

export interface WatchOptions {
  /** Ends the iteration. */
  signal?: AbortSignal | undefined;
}

/** How long one call may take. */
export interface Limited {
  /** Ends the call early; it then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Deadline of this call in milliseconds. Default: the client's or operator's. */
  timeoutMs?: number | undefined;
}

/** An agent's own approvals. It may look and take back; it can never decide. */
export interface ClientApprovals {
  list(filter?: ApprovalFilter, options?: Limited): Promise<Approval[]>;
  /** First the pending ones, then each change, in its latest state; goes on after a cut. */
  watch(options?: WatchOptions): AsyncGenerator<Approval, void>;
  withdraw(id: string, options?: Limited): Promise<Approval>;
}

export interface OperatorFilter extends ApprovalFilter {
  actor?: string | undefined;
  /** Id of the last approval of the page before. */
  after?: string | undefined;
  limit?: number | undefined;
}

export interface DenyOptions extends Limited {
  /** Why; recorded. */
  reason: string;
  /** The person who decided, as your program knows them; recorded beside the operator. */
  by?: string | undefined;
  /** What the decision rests on; recorded. */
  evidence?: Readonly<Record<string, unknown>> | undefined;
  /** Needed with a bare id: the digest of what was read. */
  digest?: string | undefined;
}

export interface ApproveOptions extends DenyOptions {
  /**
   * The same decision from now on: for this tool or this very input, in this thread or for this actor, for `ttl` seconds. A rule at
   * the authority, listed and revocable; a denial of the policy still wins.
   */
  remember?: { match: "tool" | "input"; for: "thread" | "actor"; ttl: number } | undefined;
}

export interface Decided {
  ok: boolean;
  approval: Approval;
  envelope_hash: string;
}

/** What agents ask, and the answers. Deciding twice rejects with `already_decided`, whose data name the first decision. */
export interface OperatorApprovals {
  list(filter?: OperatorFilter, options?: Limited): Promise<Approval[]>;
  /** First the pending ones, then each change, in its latest state; goes on after a cut. */
  watch(options?: WatchOptions): AsyncGenerator<Approval, void>;
  /** Lets this very call run once. The object carries the digest of what was read. */
  approve(approval: Approval | string, options: ApproveOptions): Promise<Decided>;
  deny(approval: Approval | string, options: DenyOptions): Promise<Decided>;
}

/** Remembered decisions. */
export interface OperatorRules {
  /** Those that hold now. */
  list(options?: Limited): Promise<ApprovalRule[]>;
  /** Ends the rule at once. Repeating it gives the first answer. */
  revoke(id: string, options: Limited & { reason: string }): Promise<ApprovalRule>;
}
