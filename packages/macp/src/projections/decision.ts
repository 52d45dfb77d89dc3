import { defineReducer } from "./mode-reducer.ts";
import { createProjection, type Projection } from "./projection.ts";
import { appended, placed } from "./collections.ts";

export interface DecisionProposal {
  readonly proposalId: string;
  readonly option: string;
  readonly rationale: string;
  readonly supportingData: Uint8Array;
  readonly sender: string;
}

export interface Evaluation {
  readonly proposalId: string;
  /** APPROVE, REVIEW, BLOCK or REJECT. */
  readonly recommendation: string;
  /** 0 to 1. */
  readonly confidence: number;
  readonly reason: string;
  readonly sender: string;
}

export interface Objection {
  readonly proposalId: string;
  /** critical, high, medium or low. */
  readonly severity: string;
  readonly reason: string;
  readonly sender: string;
}

export interface Vote {
  /** APPROVE, REJECT or ABSTAIN. */
  readonly vote: string;
  readonly reason: string;
  readonly sender: string;
}

export interface DecisionState {
  /** By proposal id, in order of arrival. */
  readonly proposals: ReadonlyMap<string, DecisionProposal>;
  readonly evaluations: readonly Evaluation[];
  readonly objections: readonly Objection[];
  /** By proposal id, then by voter. */
  readonly votes: ReadonlyMap<string, ReadonlyMap<string, Vote>>;
}

const unknown = (subjectId: string) => ({
  anomaly: "unknown_subject" as const,
  subjectId,
  detail: "no such proposal",
});

const decisionReducer = defineReducer<"decision", DecisionState>({
  mode: "decision",
  initial: { proposals: new Map(), evaluations: [], objections: [], votes: new Map() },
  phase: ({ proposals, votes }) =>
    votes.size > 0 ? "Voting" : proposals.size > 0 ? "Evaluation" : "Proposal",
  on: {
    Proposal: (state, { payload, sender }) => {
      const { proposalId, option, rationale, supportingData } = payload;
      const proposal = { proposalId, option, rationale, supportingData, sender };
      return { ...state, proposals: placed(state.proposals, proposalId, proposal) };
    },
    Evaluation: (state, { payload, sender }) => {
      const { proposalId, confidence, reason } = payload;
      if (!state.proposals.has(proposalId)) return unknown(proposalId);
      const recommendation = payload.recommendation.toUpperCase();
      const evaluation = { proposalId, recommendation, confidence, reason, sender };
      return { ...state, evaluations: appended(state.evaluations, evaluation) };
    },
    Objection: (state, { payload, sender }) => {
      const { proposalId, reason } = payload;
      if (!state.proposals.has(proposalId)) return unknown(proposalId);
      const severity = payload.severity.toLowerCase() || "medium";
      const objection = { proposalId, severity, reason, sender };
      return { ...state, objections: appended(state.objections, objection) };
    },
    Vote: (state, { payload, sender }) => {
      const { proposalId, reason } = payload;
      if (!state.proposals.has(proposalId)) return unknown(proposalId);
      const cast = state.votes.get(proposalId) ?? new Map<string, Vote>();
      if (cast.has(sender)) {
        const detail = `${sender} has voted on it`;
        return { anomaly: "duplicate_vote", subjectId: proposalId, detail };
      }
      const vote = { vote: payload.vote.toUpperCase(), reason, sender };
      return { ...state, votes: placed(state.votes, proposalId, placed(cast, sender, vote)) };
    },
  },
});

export interface VoteTotal {
  readonly approve: number;
  readonly reject: number;
  readonly abstain: number;
}

export interface DecisionProjection extends Projection<DecisionState> {
  /** By proposal id, every proposal in it. */
  voteTotals(): ReadonlyMap<string, VoteTotal>;
  /** Share of APPROVE among the proposal's decisive votes (abstentions left out), 0 to 1; 0 where nobody decided. */
  voteRatio(proposalId: string): number;
  /**
   * The proposal that more than half of those who cast a decisive vote on anything approved of, and approved of more
   * often than it was rejected. Undefined where there is none, or where two have as many approvals.
   */
  majorityWinner(): string | undefined;
  /** Whether anyone objects with severity critical, to that proposal or (without an id) to any. */
  hasBlockingObjection(proposalId?: string): boolean;
  /** Whether at least that many (default: 1) critical objections stand, over all proposals, as a veto policy counts. */
  isVetoed(threshold?: number): boolean;
  /** Evaluations that recommend another look. */
  reviewEvaluations(proposalId?: string): readonly Evaluation[];
  /** Evaluations that are not REVIEW and have at least that confidence (default: 0). */
  qualifyingEvaluations(minimumConfidence?: number): readonly Evaluation[];
}

export function createDecisionProjection(): DecisionProjection {
  return createProjection(decisionReducer, (of) => {
    const counted = (proposalId: string, word: string) =>
      [...(of.state.votes.get(proposalId)?.values() ?? [])].filter(({ vote }) => vote === word)
        .length;
    const totals = (id: string): VoteTotal => ({
      approve: counted(id, "APPROVE"),
      reject: counted(id, "REJECT"),
      abstain: counted(id, "ABSTAIN"),
    });
    const blocking = (proposalId?: string) =>
      of.state.objections.filter(
        (o) => o.severity === "critical" && (proposalId ?? o.proposalId) === o.proposalId,
      );
    return {
      voteTotals: () => new Map([...of.state.proposals.keys()].map((id) => [id, totals(id)])),
      voteRatio(proposalId) {
        const { approve, reject } = totals(proposalId);
        return approve + reject === 0 ? 0 : approve / (approve + reject);
      },
      majorityWinner() {
        const electorate = new Set<string>();
        for (const cast of of.state.votes.values()) {
          for (const { sender, vote } of cast.values())
            if (vote !== "ABSTAIN") electorate.add(sender);
        }
        const ranked = [...of.state.proposals.keys()]
          .map((id) => ({ id, ...totals(id) }))
          .filter(({ approve, reject }) => approve > reject && approve * 2 > electorate.size)
          .toSorted((a, b) => b.approve - a.approve);
        const [first, second] = ranked;
        return first?.approve === second?.approve ? undefined : first?.id;
      },
      hasBlockingObjection: (proposalId) => blocking(proposalId).length > 0,
      isVetoed: (threshold = 1) => blocking().length >= threshold,
      reviewEvaluations: (proposalId) =>
        of.state.evaluations.filter(
          (e) => e.recommendation === "REVIEW" && (proposalId ?? e.proposalId) === e.proposalId,
        ),
      qualifyingEvaluations: (minimumConfidence = 0) =>
        of.state.evaluations.filter(
          (e) => e.recommendation !== "REVIEW" && e.confidence >= minimumConfidence,
        ),
    };
  });
}
