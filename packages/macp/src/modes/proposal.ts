import { refuse } from "../kernel/refusal.ts";
import { proposalDenials } from "../policy/mode-policies.ts";
import { bindRules } from "../policy/policy.ts";
import { proposalRules } from "../policy/rules.ts";
import { defineMode } from "./mode.ts";
import type { SessionTerms } from "./session-terms.ts";

interface Offer {
  proposal_id: string;
  title: string;
  summary: string;
  details: Uint8Array;
  tags: readonly string[];
  proposer: string;
  supersedes_proposal_id: string | null;
  disposition: "Live" | "Withdrawn";
}

interface ProposalState {
  proposals: Map<string, Offer>;
  /** The latest acceptance of each participant. */
  accepts: Map<string, string>;
  terminal_rejections: { proposal_id: string; sender: string; reason: string }[];
  rejections: { proposal_id: string; sender: string; reason: string; terminal: boolean }[];
  phase: "Negotiating" | "Converged" | "TerminalRejected" | "Committed";
}

const unless = (inOrder: boolean) => (inOrder ? undefined : refuse("InvalidPayload"));
const filled = (text: string): boolean => text.trim() !== "";
const rulesOf = ({ policy }: SessionTerms) => bindRules(policy, proposalRules).rules;

function isLive({ proposals }: ProposalState, id: string): boolean {
  return proposals.get(id)?.disposition === "Live";
}

function counterProposals({ proposals }: ProposalState): number {
  return [...proposals.values()].filter((offer) => offer.supersedes_proposal_id !== null).length;
}

/** Whether those who must have accepted the offer have; a newer acceptance of another one takes it back. */
function isAgreed(terms: SessionTerms, { accepts }: ProposalState, offer: Offer): boolean {
  const accepted = (who: string): boolean => accepts.get(who) === offer.proposal_id;
  const { participants, initiator } = terms;
  switch (rulesOf(terms).acceptance.criterion) {
    case "counterparty":
      return participants.every((who) => who === offer.proposer || accepted(who));
    case "initiator":
      return accepted(initiator);
    default:
      return participants.every(accepted);
  }
}

function phaseOf(terms: SessionTerms, state: ProposalState): ProposalState["phase"] {
  if (state.terminal_rejections.length > 0) return "TerminalRejected";
  const offers = [...state.proposals.values()].filter(({ disposition }) => disposition === "Live");
  return offers.some((offer) => isAgreed(terms, state, offer)) ? "Converged" : "Negotiating";
}

export const proposal = defineMode<"proposal", ProposalState>("proposal", {
  roster: ({ participants }) => participants.length > 0,
  start: () => ({
    proposals: new Map(),
    accepts: new Map(),
    terminal_rejections: [],
    rejections: [],
    phase: "Negotiating",
  }),
  messages: {
    Proposal: {
      check: ({ state, payload: { proposalId } }) =>
        unless(filled(proposalId) && !state.proposals.has(proposalId)),
      apply({ terms, state, payload, sender }) {
        const { proposalId, title, summary, details, tags } = payload;
        state.proposals.set(proposalId, {
          proposal_id: proposalId,
          title,
          summary,
          details,
          tags,
          proposer: sender,
          supersedes_proposal_id: null,
          disposition: "Live",
        });
        state.phase = phaseOf(terms, state);
      },
    },
    CounterProposal: {
      check({ terms, state, payload: { proposalId, supersedesProposalId } }) {
        const limit = rulesOf(terms).counter_proposal.max_rounds;
        return unless(
          filled(proposalId) &&
            !state.proposals.has(proposalId) &&
            filled(supersedesProposalId) &&
            state.proposals.has(supersedesProposalId) &&
            (limit === 0 || counterProposals(state) < limit),
        );
      },
      // What it supersedes stays: either may be accepted.
      apply({ terms, state, payload, sender }) {
        const { proposalId, title, summary, details } = payload;
        state.proposals.set(proposalId, {
          proposal_id: proposalId,
          title,
          summary,
          details,
          tags: [],
          proposer: sender,
          supersedes_proposal_id: payload.supersedesProposalId,
          disposition: "Live",
        });
        state.phase = phaseOf(terms, state);
      },
    },
    Accept: {
      check: ({ state, payload }) => unless(isLive(state, payload.proposalId)),
      apply({ terms, state, payload, sender }) {
        state.accepts.set(sender, payload.proposalId);
        state.phase = phaseOf(terms, state);
      },
    },
    Reject: {
      check: ({ state, payload }) => unless(isLive(state, payload.proposalId)),
      apply({ terms, state, payload, sender }) {
        const terminal = payload.terminal || rulesOf(terms).rejection.terminal_on_any_reject;
        const rejection = { proposal_id: payload.proposalId, sender, reason: payload.reason };
        state.rejections.push({ ...rejection, terminal });
        if (terminal) state.terminal_rejections.push(rejection);
        state.phase = phaseOf(terms, state);
      },
    },
    Withdraw: {
      check({ state, payload: { proposalId }, sender }) {
        const offer = state.proposals.get(proposalId);
        if (offer === undefined || !filled(proposalId)) return refuse("InvalidPayload");
        if (offer.proposer !== sender) return refuse("Forbidden");
        return unless(offer.disposition === "Live");
      },
      apply({ terms, state, payload: { proposalId } }) {
        const offer = state.proposals.get(proposalId);
        if (offer !== undefined) offer.disposition = "Withdrawn";
        for (const [who, accepted] of state.accepts) {
          if (accepted === proposalId) state.accepts.delete(who);
        }
        state.terminal_rejections = state.terminal_rejections.filter(
          (rejection) => rejection.proposal_id !== proposalId,
        );
        state.phase = phaseOf(terms, state);
      },
    },
  },
  commitment: {
    ready: ({ state }) => state.phase === "Converged" || state.phase === "TerminalRejected",
    denials: ({ terms, state, payload }) =>
      proposalDenials(
        bindRules(terms.policy, proposalRules),
        counterProposals(state),
        payload.outcomePositive,
      ),
    apply({ state }) {
      state.phase = "Committed";
    },
  },
});
