import { type Refusal, refuse } from "../kernel/refusal.ts";
import { quorumDenials, quorumThreshold } from "../policy/mode-policies.ts";
import { bindRules } from "../policy/policy.ts";
import { quorumRules } from "../policy/rules.ts";
import { defineMode, type MessageRule, type Turn } from "./mode.ts";

type Choice = "Approve" | "Reject" | "Abstain";

interface QuorumState {
  request: {
    request_id: string;
    action: string;
    summary: string;
    details: Uint8Array;
    required_approvals: number;
    requested_by: string;
  } | null;
  ballots: Map<string, { request_id: string; choice: Choice; sender: string; reason: string }>;
}

interface Ballot {
  readonly requestId: string;
  readonly reason: string;
}

/** One ballot for each participant, whatever its choice. */
function checkBallot({ state, payload, sender }: Turn<QuorumState, Ballot>): Refusal | undefined {
  const { request, ballots } = state;
  const inOrder =
    request !== null && payload.requestId === request.request_id && !ballots.has(sender);
  return inOrder ? undefined : refuse("InvalidPayload");
}

const ballot = (choice: Choice): MessageRule<QuorumState, Ballot> => ({
  check: checkBallot,
  apply({ state, payload: { requestId, reason }, sender }) {
    state.ballots.set(sender, { request_id: requestId, choice, sender, reason });
  },
});

const approvalsOf = ({ ballots }: QuorumState): number =>
  [...ballots.values()].filter(({ choice }) => choice === "Approve").length;

export const quorum = defineMode<"quorum", QuorumState>("quorum", {
  roster: ({ participants }) => participants.length > 0,
  start: () => ({ request: null, ballots: new Map() }),
  messages: {
    ApprovalRequest: {
      from: "initiator",
      check({ terms, state, payload: { requestId, requiredApprovals: required } }) {
        const inOrder =
          state.request === null &&
          requestId !== "" &&
          required >= 1 &&
          required <= terms.participants.length;
        return inOrder ? undefined : refuse("InvalidPayload");
      },
      apply({ state, payload, sender }) {
        state.request = {
          request_id: payload.requestId,
          action: payload.action,
          summary: payload.summary,
          details: payload.details,
          required_approvals: payload.requiredApprovals,
          requested_by: sender,
        };
      },
    },
    Approve: ballot("Approve"),
    Reject: ballot("Reject"),
    Abstain: ballot("Abstain"),
  },
  commitment: {
    // Reached, or out of reach. The outcome is not looked at: only a policy holds it against the count.
    ready({ terms, state }) {
      if (state.request === null) return false;
      const total = terms.participants.length;
      const { rules } = bindRules(terms.policy, quorumRules);
      const required = quorumThreshold(rules, total) ?? state.request.required_approvals;
      const approvals = approvalsOf(state);
      return approvals >= required || approvals + total - state.ballots.size < required;
    },
    denials: ({ terms, state, payload }) =>
      quorumDenials(
        bindRules(terms.policy, quorumRules),
        { approvals: approvalsOf(state), participants: terms.participants.length },
        payload.outcomePositive,
      ),
  },
});
