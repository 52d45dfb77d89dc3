import { AgentKeysError } from "@agentkeys/contract";
import { modeTable } from "../protocol/mode-table.ts";
import type { JsonObject } from "./policy.ts";
import type { PolicyInit } from "./policy-registry.ts";
import { rulesProblem, unknownRule } from "./rule-domains.ts";

export interface PolicyOptions {
  /** The id that sessions name. It can never mean anything else again. */
  policyId: string;
  description?: string;
  /**
   * Default 2. Under 3 no decisive vote is no approval and whoever has no weight weighs nothing; but a runtime 0.6.1 registers 3
   * and then denies every commitment.
   */
  schemaVersion?: 1 | 2 | 3;
}

/** Field names are the wire's. */
export interface CommitmentPolicy {
  /** Who may commit. Default `initiator_only`; under `designated_role` only the designated, the initiator not implied. */
  authority?: "initiator_only" | "any_participant" | "designated_role";
  designated_roles?: readonly string[];
}

export interface DecisionPolicy {
  voting?: {
    /** Default `none`: the outcome is the committer's. */
    algorithm?: "none" | "majority" | "supermajority" | "unanimous" | "weighted" | "plurality";
    /** Share of the votes cast that passes, inclusive. Default 0.5. */
    threshold?: number;
    /** Participants that must have voted: a number, or 0 to 100 percent. Gates only with `require_vote_quorum`. */
    quorum?: { type: "count" | "percentage"; value: number };
    /** By participant, each above 0. */
    weights?: Readonly<Record<string, number>>;
  };
  objection_handling?: {
    critical_severity_vetoes?: boolean;
    /** Critical objections that make a veto. Default 1. */
    veto_threshold?: number;
    critical_objection_action?: "deny" | "finalize_decline" | "hold";
  };
  /** A minimum counts only together with `required_before_voting`. */
  evaluation?: { minimum_confidence?: number; required_before_voting?: boolean };
  commitment?: CommitmentPolicy & {
    require_vote_quorum?: boolean;
    allow_decline_over_approval?: boolean;
  };
}

export interface QuorumPolicy {
  /** Replaces the request's `required_approvals`. */
  threshold?: { type: "n_of_m" | "percentage"; value: number };
  abstention?: {
    counts_toward_quorum?: boolean;
    interpretation?: "neutral" | "implicit_reject" | "ignored";
  };
  commitment?: CommitmentPolicy;
}

export interface ProposalPolicy {
  acceptance?: { criterion?: "all_parties" | "counterparty" | "initiator" };
  /** 0: no limit. */
  counter_proposal?: { max_rounds?: number };
  rejection?: { terminal_on_any_reject?: boolean };
  commitment?: CommitmentPolicy;
}

export interface TaskPolicy {
  assignment?: { allow_reassignment_on_reject?: boolean };
  completion?: { require_output?: boolean };
  commitment?: CommitmentPolicy;
}

export interface HandoffPolicy {
  /** Milliseconds of silence after which an offer counts as accepted; 0: never. */
  acceptance?: { implicit_accept_timeout_ms?: number };
  commitment?: CommitmentPolicy;
}

/**
 * Each makes a policy to register with a runtime.
 *
 * @throws AgentKeysError `config_invalid` for a rule that does not exist, a word that is not in its list, or a number out of range.
 */
export const decisionPolicy = (options: PolicyOptions, rules: DecisionPolicy): PolicyInit =>
  build(modeTable.decision.mode, options, rules);

export const quorumPolicy = (options: PolicyOptions, rules: QuorumPolicy): PolicyInit =>
  build(modeTable.quorum.mode, options, rules);

export const proposalPolicy = (options: PolicyOptions, rules: ProposalPolicy): PolicyInit =>
  build(modeTable.proposal.mode, options, rules);

export const taskPolicy = (options: PolicyOptions, rules: TaskPolicy): PolicyInit =>
  build(modeTable.task.mode, options, rules);

export const handoffPolicy = (options: PolicyOptions, rules: HandoffPolicy): PolicyInit =>
  build(modeTable.handoff.mode, options, rules);

function build(mode: string, options: PolicyOptions, rules: object): PolicyInit {
  const { policyId, description = "", schemaVersion = 2 } = options;
  const json = rules as JsonObject;
  const problem =
    policyId.trim() === ""
      ? "policyId is blank"
      : (unknownRule(mode, json) ?? rulesProblem(mode, json) ?? carelessness(rules));
  if (problem !== undefined) {
    throw new AgentKeysError("config_invalid", `policy '${policyId}': ${problem}`);
  }
  return { policyId, mode, description, rules: JSON.stringify(rules), schemaVersion };
}

/** What a runtime would register, and nobody means. */
function carelessness({ voting, threshold }: DecisionPolicy & QuorumPolicy): string | undefined {
  const { algorithm = "none", threshold: share = 0.5, weights = {} } = voting ?? {};
  if (share <= 0) return "voting.threshold must be above 0";
  if (algorithm === "majority" && share < 0.5) {
    return "voting.threshold of a majority must be at least 0.5";
  }
  const weightless = Object.entries(weights).find(([, weight]) => !(weight > 0));
  if (weightless !== undefined) return `voting.weights['${weightless[0]}'] must be above 0`;
  if (threshold !== undefined && !(Number.isInteger(threshold.value) && threshold.value > 0)) {
    return "threshold.value must be a whole number above 0";
  }
  const { type, value = 0 } = voting?.quorum ?? {};
  return type === "percentage" && value > 100
    ? "voting.quorum.value must be at most 100 percent"
    : undefined;
}
