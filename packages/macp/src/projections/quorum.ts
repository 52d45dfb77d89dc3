import type { Payload } from "../protocol/mode-table.ts";
import { placed } from "./collections.ts";
import { type Received, defineReducer, type Oddity } from "./mode-reducer.ts";
import { createProjection, type Projection } from "./projection.ts";

export interface ApprovalRequest {
  readonly requestId: string;
  readonly action: string;
  readonly summary: string;
  readonly details: Uint8Array;
  /** As the request says; a policy of the session may demand another number. */
  readonly requiredApprovals: number;
  readonly sender: string;
}

export interface Ballot {
  readonly choice: "Approve" | "Reject" | "Abstain";
  readonly reason: string;
  readonly sender: string;
}

export interface QuorumState {
  readonly request: ApprovalRequest | undefined;
  /** By voter, in order of arrival. */
  readonly ballots: ReadonlyMap<string, Ballot>;
}

type BallotPayload = Payload<"quorum", "Approve" | "Reject" | "Abstain">;

const ballot =
  (choice: Ballot["choice"]) =>
  (state: QuorumState, { payload, sender }: Received<BallotPayload>): QuorumState | Oddity => {
    const { requestId: subjectId, reason } = payload;
    if (state.request?.requestId !== subjectId) {
      return { anomaly: "unknown_subject", subjectId, detail: "no such request" };
    }
    if (state.ballots.has(sender)) {
      return { anomaly: "duplicate_ballot", subjectId, detail: `${sender} has voted on it` };
    }
    return { ...state, ballots: placed(state.ballots, sender, { choice, reason, sender }) };
  };

const count = ({ ballots }: QuorumState, choice: Ballot["choice"]) =>
  [...ballots.values()].filter((b) => b.choice === choice).length;

const quorumReducer = defineReducer<"quorum", QuorumState>({
  mode: "quorum",
  initial: { request: undefined, ballots: new Map() },
  phase: ({ request }) => (request === undefined ? "Pending" : "Voting"),
  on: {
    ApprovalRequest: (state, { payload, sender }) => {
      const { requestId, action, summary, details, requiredApprovals } = payload;
      const request = { requestId, action, summary, details, requiredApprovals, sender };
      return { ...state, request };
    },
    Approve: ballot("Approve"),
    Reject: ballot("Reject"),
    Abstain: ballot("Abstain"),
  },
});

/**
 * `threshold` is the approvals needed: by default what the request says. Where the session is bound to a policy with a
 * threshold of its own, pass that: the policy is not part of the history.
 */
export interface QuorumProjection extends Projection<QuorumState> {
  readonly threshold: number | undefined;
  approvalCount(): number;
  rejectionCount(): number;
  abstentionCount(): number;
  hasQuorum(threshold?: number): boolean;
  /** Whether too few participants are left to reach it. */
  isThresholdUnreachable(threshold?: number): boolean;
  /** Whether the outcome is settled either way, so that a commitment is due. */
  commitmentReady(threshold?: number): boolean;
  votedSenders(): readonly string[];
  /** Approvals still missing; 0 once it is reached. */
  remainingVotesNeeded(threshold?: number): number;
}

export function createQuorumProjection(): QuorumProjection {
  return createProjection(quorumReducer, (of) => {
    const needed = (threshold = of.state.request?.requiredApprovals) => threshold ?? Infinity;
    const approvals = () => count(of.state, "Approve");
    const left = () => of.participants.length - of.state.ballots.size;
    const reached = (threshold?: number) => approvals() >= needed(threshold);
    const unreachable = (threshold?: number) =>
      of.state.request !== undefined && approvals() + left() < needed(threshold);
    return {
      get threshold() {
        return of.state.request?.requiredApprovals;
      },
      approvalCount: approvals,
      rejectionCount: () => count(of.state, "Reject"),
      abstentionCount: () => count(of.state, "Abstain"),
      hasQuorum: reached,
      isThresholdUnreachable: unreachable,
      commitmentReady: (threshold) => reached(threshold) || unreachable(threshold),
      votedSenders: () => [...of.state.ballots.keys()],
      remainingVotesNeeded: (threshold) => Math.max(0, needed(threshold) - approvals()),
    };
  });
}
