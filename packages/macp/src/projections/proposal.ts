import { appended, placed } from "./collections.ts";
import { defineReducer, type SessionFacts } from "./mode-reducer.ts";
import { createProjection, type Projection } from "./projection.ts";

export interface NegotiatedProposal {
  readonly proposalId: string;
  readonly title: string;
  readonly summary: string;
  readonly details: Uint8Array;
  readonly tags: readonly string[];
  /** Whom it is from: the only one who may withdraw it. */
  readonly proposer: string;
  /** The proposal that it counters; undefined for a first offer. A countered proposal stays live. */
  readonly supersedes: string | undefined;
  readonly disposition: "Live" | "Withdrawn";
}

export interface Rejection {
  readonly proposalId: string;
  readonly sender: string;
  /** Ends the negotiation. */
  readonly terminal: boolean;
  readonly reason: string;
}

export interface ProposalState {
  /** By proposal id, in order of arrival. */
  readonly proposals: ReadonlyMap<string, NegotiatedProposal>;
  /** The proposal each participant accepted last. */
  readonly accepts: ReadonlyMap<string, string>;
  readonly rejections: readonly Rejection[];
}

/** Whose acceptance settles it: everyone's, everyone's but the proposer's, or the initiator's. */
export type AcceptanceCriterion = "all_parties" | "counterparty" | "initiator";

const unknown = (subjectId: string) => ({
  anomaly: "unknown_subject" as const,
  subjectId,
  detail: "no such live proposal",
});

const isLive = ({ proposals }: ProposalState, id: string) =>
  proposals.get(id)?.disposition === "Live";

function acceptedBy(state: ProposalState, facts: SessionFacts, criterion: AcceptanceCriterion) {
  return [...state.proposals.values()].find(({ proposalId, proposer, disposition }) => {
    if (disposition !== "Live") return false;
    const needed =
      criterion === "initiator"
        ? [facts.initiator]
        : facts.participants.filter((p) => criterion === "all_parties" || p !== proposer);
    return needed.length > 0 && needed.every((p) => state.accepts.get(p) === proposalId);
  })?.proposalId;
}

const proposalReducer = defineReducer<"proposal", ProposalState>({
  mode: "proposal",
  initial: { proposals: new Map(), accepts: new Map(), rejections: [] },
  phase: (state, facts) => {
    if (state.rejections.some(({ terminal }) => terminal)) return "TerminalRejected";
    return acceptedBy(state, facts, "all_parties") === undefined ? "Negotiating" : "Converged";
  },
  on: {
    Proposal: (state, { payload, sender }) => {
      const { proposalId, title, summary, details, tags } = payload;
      const proposal: NegotiatedProposal = {
        proposalId,
        title,
        summary,
        details,
        tags,
        proposer: sender,
        supersedes: undefined,
        disposition: "Live",
      };
      return { ...state, proposals: placed(state.proposals, proposalId, proposal) };
    },
    CounterProposal: (state, { payload, sender }) => {
      const { proposalId, supersedesProposalId: supersedes, title, summary, details } = payload;
      if (!state.proposals.has(supersedes)) return unknown(supersedes);
      const proposal: NegotiatedProposal = {
        proposalId,
        title,
        summary,
        details,
        tags: [],
        proposer: sender,
        supersedes,
        disposition: "Live",
      };
      return { ...state, proposals: placed(state.proposals, proposalId, proposal) };
    },
    Accept: (state, { payload: { proposalId }, sender }) =>
      isLive(state, proposalId)
        ? { ...state, accepts: placed(state.accepts, sender, proposalId) }
        : unknown(proposalId),
    Reject: (state, { payload: { proposalId, terminal, reason }, sender }) =>
      isLive(state, proposalId)
        ? {
            ...state,
            rejections: appended(state.rejections, { proposalId, sender, terminal, reason }),
          }
        : unknown(proposalId),
    Withdraw: (state, { payload: { proposalId } }) => {
      const proposal = state.proposals.get(proposalId);
      if (proposal?.disposition !== "Live") return unknown(proposalId);
      const withdrawn = { ...proposal, disposition: "Withdrawn" as const };
      return {
        proposals: placed(state.proposals, proposalId, withdrawn),
        accepts: new Map([...state.accepts].filter(([, id]) => id !== proposalId)),
        rejections: state.rejections.filter((r) => r.proposalId !== proposalId || !r.terminal),
      };
    },
  },
});

export interface ProposalProjection extends Projection<ProposalState> {
  /** Not withdrawn, in order of arrival. */
  liveProposals(): readonly NegotiatedProposal[];
  /** Live and not rejected for good. */
  activeProposals(): readonly NegotiatedProposal[];
  /** The newest one that is live. */
  latestProposal(): NegotiatedProposal | undefined;
  /** The live proposal that the criterion's parties (default: all) accepted last. */
  acceptedProposal(criterion?: AcceptanceCriterion): string | undefined;
  /** Whether that proposal, or (without an id) any, is the accepted one. */
  isAccepted(proposalId?: string, criterion?: AcceptanceCriterion): boolean;
  isTerminallyRejected(proposalId: string): boolean;
  hasTerminalRejection(): boolean;
  /** open, rejected (for good) or withdrawn; undefined for an unknown id. */
  statusOf(proposalId: string): "open" | "rejected" | "withdrawn" | undefined;
}

export function createProposalProjection(): ProposalProjection {
  return createProjection(proposalReducer, (of) => {
    const rejected = (id: string) =>
      of.state.rejections.some((r) => r.terminal && r.proposalId === id);
    const live = () => [...of.state.proposals.values()].filter((p) => p.disposition === "Live");
    const accepted = (criterion: AcceptanceCriterion = "all_parties") =>
      acceptedBy(of.state, of, criterion);
    return {
      liveProposals: live,
      activeProposals: () => live().filter(({ proposalId }) => !rejected(proposalId)),
      latestProposal: () => live().at(-1),
      acceptedProposal: accepted,
      isAccepted(proposalId, criterion) {
        const id = accepted(criterion);
        return id !== undefined && (proposalId ?? id) === id;
      },
      isTerminallyRejected: rejected,
      hasTerminalRejection: () => of.state.rejections.some(({ terminal }) => terminal),
      statusOf(proposalId) {
        const proposal = of.state.proposals.get(proposalId);
        if (proposal?.disposition === "Withdrawn") return "withdrawn";
        return proposal && (rejected(proposalId) ? "rejected" : "open");
      },
    };
  });
}
