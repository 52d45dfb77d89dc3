import type { BoundRules } from "./policy.ts";
import type { HandoffRules, ProposalRules, QuorumRules, TaskRules } from "./rules.ts";

/**
 * Approvals that a quorum policy asks for in place of the request's own number; undefined when it asks for none. A part of a
 * participant is a whole one.
 */
export function quorumThreshold(
  { threshold }: QuorumRules,
  participants: number,
): number | undefined {
  if (!(threshold.value > 0)) return undefined;
  return Math.ceil(
    threshold.type === "percentage" ? (threshold.value / 100) * participants : threshold.value,
  );
}

/** Each answers why a commitment with this outcome may not be made; empty when it may. */
export function quorumDenials(
  { rules, problem }: BoundRules<QuorumRules>,
  { approvals, participants }: { approvals: number; participants: number },
  positive: boolean,
): string[] {
  if (problem !== undefined) return [problem];
  const required = quorumThreshold(rules, participants);
  // A decline is the way out when approval is not reached: the threshold does not gate it.
  if (!positive || required === undefined || approvals >= required) return [];
  const { value, type } = rules.threshold;
  return [
    `approval threshold not met: ${approvals} of ${required} required approvals (${value} ${type})`,
  ];
}

export function proposalDenials(
  { rules, problem }: BoundRules<ProposalRules>,
  counterProposals: number,
  positive: boolean,
): string[] {
  if (problem !== undefined) return [problem];
  const limit = rules.counter_proposal.max_rounds;
  if (!positive || limit === 0 || counterProposals <= limit) return [];
  return [`counter-proposal limit exceeded: ${counterProposals} of ${limit} allowed`];
}

export function taskDenials(
  { rules, problem }: BoundRules<TaskRules>,
  hasOutput: boolean,
  positive: boolean,
): string[] {
  if (problem !== undefined) return [problem];
  return rules.completion.require_output && !hasOutput && positive
    ? ["policy requires task output before commitment"]
    : [];
}

/** Handoff rules act while the session runs, not on its commitment. */
export function handoffDenials({ problem }: BoundRules<HandoffRules>): string[] {
  return problem === undefined ? [] : [problem];
}
