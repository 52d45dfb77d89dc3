import { z } from "zod";
import type { ProposalSession } from "../sessions/proposal.ts";
import {
  commitTool,
  type CoordinationTools,
  defineCoordinationTool,
  reason,
} from "./coordination-tool.ts";
import { statusTool } from "./status-tool.ts";

const proposalId = z.string().describe("Id of the proposal.");
const newId = z.string().describe("A new id for it, short and telling.");
const title = z.string().describe("What is offered, in a line.");
const summary = z.string().default("").describe("The offer in full.");

export const proposalTools: CoordinationTools<ProposalSession> = {
  proposal_status: statusTool("proposal", ({ projection }) => ({
    proposals: [...projection.state.proposals.values()].map((proposal) => ({
      proposal_id: proposal.proposalId,
      title: proposal.title,
      summary: proposal.summary,
      proposer: proposal.proposer,
      ...(proposal.supersedes !== undefined && { supersedes: proposal.supersedes }),
      status: projection.statusOf(proposal.proposalId),
    })),
    accepted: Object.fromEntries(projection.state.accepts),
    rejections: projection.state.rejections.map((rejection) => ({
      proposal_id: rejection.proposalId,
      sender: rejection.sender,
      terminal: rejection.terminal,
      reason: rejection.reason,
    })),
    agreed_proposal: projection.acceptedProposal() ?? null,
  })),
  proposal_propose: defineCoordinationTool({
    id: "proposal.propose",
    title: "Make an offer",
    description: "Makes an offer to the other parties.",
    input: z.object({ proposal_id: newId, title, summary }),
    run: (session: ProposalSession, { proposal_id, title: text, summary: full }, options) =>
      session.propose(proposal_id, text, { summary: full, ...options }),
  }),
  proposal_counter: defineCoordinationTool({
    id: "proposal.counter",
    title: "Make a counter-offer",
    description: "Answers an offer with another one. The first offer stays open.",
    input: z.object({
      proposal_id: newId,
      supersedes_proposal_id: z.string().describe("Id of the offer that it answers."),
      title,
      summary,
    }),
    run: (session: ProposalSession, input, options) =>
      session.counterPropose(
        input.proposal_id,
        { supersedes: input.supersedes_proposal_id, title: input.title },
        { summary: input.summary, ...options },
      ),
  }),
  proposal_accept: defineCoordinationTool({
    id: "proposal.accept",
    title: "Accept an offer",
    description: "Accepts an offer, your own too. Your last acceptance counts.",
    input: z.object({ proposal_id: proposalId, reason }),
    run: (session: ProposalSession, { proposal_id, reason: why }, options) =>
      session.accept(proposal_id, { reason: why, ...options }),
  }),
  proposal_reject: defineCoordinationTool({
    id: "proposal.reject",
    title: "Reject an offer",
    description: "Rejects an offer.",
    input: z.object({
      proposal_id: proposalId,
      terminal: z.boolean().default(false).describe("True ends the whole negotiation."),
      reason,
    }),
    run: (session: ProposalSession, { proposal_id, terminal, reason: why }, options) =>
      session.reject(proposal_id, { terminal, reason: why, ...options }),
  }),
  proposal_withdraw: defineCoordinationTool({
    id: "proposal.withdraw",
    title: "Withdraw an offer",
    description: "Takes an offer of your own back.",
    input: z.object({ proposal_id: proposalId, reason }),
    run: (session: ProposalSession, { proposal_id, reason: why }, options) =>
      session.withdraw(proposal_id, { reason: why, ...options }),
  }),
  proposal_commit: commitTool(
    "proposal",
    "Ends the negotiation with its outcome, once everybody agrees or somebody has ended it.",
  ),
};
