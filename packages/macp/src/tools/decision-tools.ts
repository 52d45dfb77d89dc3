import { z } from "zod";
import { recommendations, severities, votes } from "../protocol/constants.ts";
import type { DecisionSession } from "../sessions/decision.ts";
import {
  commitTool,
  type CoordinationTools,
  defineCoordinationTool,
  reason,
} from "./coordination-tool.ts";
import { statusTool } from "./status-tool.ts";

const proposalId = z.string().describe("Id of the proposal.");

export const decisionTools: CoordinationTools<DecisionSession> = {
  decision_status: statusTool("decision", ({ projection }) => ({
    proposals: [...projection.state.proposals.values()].map((proposal) => ({
      proposal_id: proposal.proposalId,
      option: proposal.option,
      rationale: proposal.rationale,
      proposer: proposal.sender,
      votes: Object.fromEntries(
        [...(projection.state.votes.get(proposal.proposalId) ?? [])].map(([who, { vote }]) => [
          who,
          vote,
        ]),
      ),
    })),
    evaluations: projection.state.evaluations.map((evaluation) => ({
      proposal_id: evaluation.proposalId,
      recommendation: evaluation.recommendation,
      confidence: evaluation.confidence,
      reason: evaluation.reason,
      sender: evaluation.sender,
    })),
    objections: projection.state.objections.map((objection) => ({
      proposal_id: objection.proposalId,
      severity: objection.severity,
      reason: objection.reason,
      sender: objection.sender,
    })),
    majority_winner: projection.majorityWinner() ?? null,
  })),
  decision_propose: defineCoordinationTool({
    id: "decision.propose",
    title: "Propose an option",
    description: "Puts an option up for decision. Not possible any more once somebody has voted.",
    input: z.object({
      proposal_id: z.string().describe("A new id for it, short and telling."),
      option: z.string().describe("What is proposed."),
      rationale: z.string().default("").describe("Why it is good."),
    }),
    run: (session: DecisionSession, { proposal_id, option, rationale }, options) =>
      session.propose(proposal_id, option, { rationale, ...options }),
  }),
  decision_evaluate: defineCoordinationTool({
    id: "decision.evaluate",
    title: "Evaluate a proposal",
    description:
      "Says what you think of a proposal, without voting. Not possible any more once somebody has voted.",
    input: z.object({
      proposal_id: proposalId,
      recommendation: z.enum(recommendations),
      confidence: z.number().min(0).max(1).describe("How sure you are, 0 to 1."),
      reason,
    }),
    run: (session: DecisionSession, input, options) =>
      session.evaluate(input.proposal_id, input.recommendation, {
        confidence: input.confidence,
        reason: input.reason,
        ...options,
      }),
  }),
  decision_object: defineCoordinationTool({
    id: "decision.object",
    title: "Object to a proposal",
    description:
      "Objects to a proposal; a critical objection can block it. Not possible any more once somebody has voted.",
    input: z.object({ proposal_id: proposalId, severity: z.enum(severities), reason }),
    run: (session: DecisionSession, { proposal_id, severity, reason: why }, options) =>
      session.raiseObjection(proposal_id, { severity, reason: why, ...options }),
  }),
  decision_vote: defineCoordinationTool({
    id: "decision.vote",
    title: "Vote on a proposal",
    description:
      "Casts your one vote on a proposal. The first vote of anyone ends proposing, evaluating and objecting for everyone.",
    input: z.object({ proposal_id: proposalId, vote: z.enum(votes), reason }),
    run: (session: DecisionSession, { proposal_id, vote, reason: why }, options) =>
      session.vote(proposal_id, vote, { reason: why, ...options }),
  }),
  decision_commit: commitTool(
    "decision",
    "Ends the session with its outcome, for everyone. Usually the initiator's to do, after the votes.",
  ),
};
