import type { Approval } from "@agentkeys/contract";

/** What a decision is made with. */
export interface Grounds {
  reason: string;
  /** Who voted so, by name. */
  by: string;
  evidence: { session_id: string; commitment_hash: string };
}

/** The part of an operator that the bridge uses; `createOperator()` of `@agentkeys/core` has it. */
export interface ApprovalOperator {
  readonly approvals: {
    /** First the pending ones, then each change, in its latest state. */
    watch(options: { signal: AbortSignal }): AsyncIterable<Approval>;
    approve(approval: Approval, grounds: Grounds): Promise<{ approval: Approval }>;
    deny(approval: Approval, grounds: Grounds): Promise<{ approval: Approval }>;
  };
}
