import { decisionDenials } from "../policy/decision-policy.ts";
import { bindRules } from "../policy/policy.ts";
import { decisionRules } from "../policy/rules.ts";
import {
  type Recommendation,
  recommendations,
  type Severity,
  severities,
  type Vote,
  votes,
} from "../protocol/constants.ts";
import { refuse } from "../kernel/refusal.ts";
import { defineMode } from "./mode.ts";

interface DecisionState {
  proposals: Map<
    string,
    { proposal_id: string; option: string; rationale: string; sender: string }
  >;
  evaluations: {
    proposal_id: string;
    recommendation: Recommendation;
    confidence: number;
    reason: string;
    sender: string;
  }[];
  objections: { proposal_id: string; reason: string; severity: Severity; sender: string }[];
  /** By proposal, then by sender. */
  votes: Map<
    string,
    Map<string, { proposal_id: string; vote: Vote; reason: string; sender: string }>
  >;
  phase: "Proposal" | "Evaluation" | "Voting" | "Committed";
}

/** Words arrive in any case and are kept in one. */
const recommendationOf = (text: string): Recommendation | undefined =>
  recommendations.find((word) => word === text.toUpperCase());
const voteOf = (text: string): Vote | undefined =>
  votes.find((word) => word === text.toUpperCase());
const severityOf = (text: string): Severity | undefined =>
  text === "" ? "medium" : severities.find((word) => word === text.toLowerCase());

const unless = (inOrder: boolean) => (inOrder ? undefined : refuse("InvalidPayload"));
const filled = (text: string): boolean => text.trim() !== "";

export const decision = defineMode<"decision", DecisionState>("decision", {
  roster: ({ participants }) => participants.length > 0,
  start: () => ({
    proposals: new Map(),
    evaluations: [],
    objections: [],
    votes: new Map(),
    phase: "Proposal",
  }),
  unknownType: "Forbidden",
  messages: {
    Proposal: {
      check: ({ state, payload }) =>
        unless(
          state.phase !== "Voting" &&
            filled(payload.proposalId) &&
            filled(payload.option) &&
            !state.proposals.has(payload.proposalId),
        ),
      apply({ state, payload: { proposalId, option, rationale }, sender }) {
        state.proposals.set(proposalId, { proposal_id: proposalId, option, rationale, sender });
        state.phase = "Evaluation";
      },
    },
    Evaluation: {
      check: ({ state, payload }) =>
        unless(
          recommendationOf(payload.recommendation) !== undefined &&
            // Not a number fails this too.
            payload.confidence >= 0 &&
            payload.confidence <= 1 &&
            state.phase === "Evaluation" &&
            state.proposals.has(payload.proposalId),
        ),
      apply({ state, payload: { proposalId, recommendation, confidence, reason }, sender }) {
        const word = recommendationOf(recommendation);
        if (word === undefined) return;
        const opinion = {
          proposal_id: proposalId,
          recommendation: word,
          confidence,
          reason,
          sender,
        };
        state.evaluations.push(opinion);
      },
    },
    Objection: {
      check: ({ state, payload }) =>
        unless(
          severityOf(payload.severity) !== undefined &&
            state.phase === "Evaluation" &&
            state.proposals.has(payload.proposalId),
        ),
      apply({ state, payload: { proposalId, reason, severity }, sender }) {
        const word = severityOf(severity);
        if (word === undefined) return;
        state.objections.push({ proposal_id: proposalId, reason, severity: word, sender });
      },
    },
    Vote: {
      check: ({ state, payload, sender }) =>
        unless(
          voteOf(payload.vote) !== undefined &&
            state.phase !== "Proposal" &&
            state.proposals.has(payload.proposalId) &&
            state.votes.get(payload.proposalId)?.has(sender) !== true,
        ),
      apply({ state, payload: { proposalId, vote, reason }, sender }) {
        const word = voteOf(vote);
        if (word === undefined) return;
        const ballots = state.votes.get(proposalId) ?? new Map();
        ballots.set(sender, { proposal_id: proposalId, vote: word, reason, sender });
        state.votes.set(proposalId, ballots);
        state.phase = "Voting";
      },
    },
  },
  commitment: {
    ready: ({ state }) => state.proposals.size > 0,
    denials: ({ terms, state, payload }) =>
      decisionDenials(
        bindRules(terms.policy, decisionRules),
        { ...state, participants: terms.participants },
        payload.outcomePositive,
      ),
    apply({ state }) {
      state.phase = "Committed";
    },
  },
});
