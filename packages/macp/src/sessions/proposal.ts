import type { Accepted } from "../client/session-info.ts";
import { createProposalProjection, type ProposalProjection } from "../projections/proposal.ts";
import type { ReasonOptions } from "./decision.ts";
import type { ModeDefinition } from "./mode-session.ts";
import type { SendOptions, Session } from "./session-surface.ts";
import { filled, toBytes } from "./words.ts";

export interface OfferOptions extends SendOptions {
  summary?: string;
  details?: Uint8Array | string;
}

export interface FirstOfferOptions extends OfferOptions {
  tags?: readonly string[];
}

export interface RejectOptions extends ReasonOptions {
  /** Ends the negotiation. Default: false. */
  terminal?: boolean;
}

export interface ProposalVerbs {
  propose(proposalId: string, title: string, options?: FirstOfferOptions): Promise<Accepted>;
  /** The countered proposal stays live. */
  counterPropose(
    proposalId: string,
    counter: { supersedes: string; title: string },
    options?: OfferOptions,
  ): Promise<Accepted>;
  /** A participant's last acceptance counts. */
  accept(proposalId: string, options?: ReasonOptions): Promise<Accepted>;
  reject(proposalId: string, options?: RejectOptions): Promise<Accepted>;
  /** The proposer's only; its acceptances go with it. */
  withdraw(proposalId: string, options?: ReasonOptions): Promise<Accepted>;
}

export type ProposalSession = Session<"proposal", ProposalProjection> & ProposalVerbs;

export const proposalMode: ModeDefinition<"proposal", ProposalProjection, ProposalVerbs> = {
  key: "proposal",
  project: createProposalProjection,
  verbs: ({ send }) => ({
    async propose(proposalId, title, { summary = "", details = "", tags = [], ...options } = {}) {
      filled({ proposalId });
      const offer = { proposalId, title, summary, details: toBytes(details), tags: [...tags] };
      return send("Proposal", offer, options);
    },
    async counterPropose(
      proposalId,
      { supersedes, title },
      { summary = "", details = "", ...options } = {},
    ) {
      filled({ proposalId, supersedes });
      const offer = { proposalId, title, summary, details: toBytes(details) };
      return send("CounterProposal", { ...offer, supersedesProposalId: supersedes }, options);
    },
    async accept(proposalId, { reason = "", ...options } = {}) {
      return send("Accept", { proposalId, reason }, options);
    },
    async reject(proposalId, { terminal = false, reason = "", ...options } = {}) {
      return send("Reject", { proposalId, terminal, reason }, options);
    },
    async withdraw(proposalId, { reason = "", ...options } = {}) {
      return send("Withdraw", { proposalId, reason }, options);
    },
  }),
};
