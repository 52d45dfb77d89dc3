import type { CommitmentPayload } from "../generated/macp/v1/core_pb.ts";
import { commitmentRulesOf } from "../policy/policy.ts";
import { outcomeOf } from "../protocol/commitment.ts";
import type { SessionTerms } from "./session-terms.ts";

/** Whether the policy lets this sender end the session. A designated role does not include the initiator. */
export function mayCommit({ policy, initiator, members }: SessionTerms, sender: string): boolean {
  const { authority, designated_roles } = commitmentRulesOf(policy);
  switch (authority) {
    case "any_participant":
      return sender === initiator || members.has(sender);
    case "designated_role":
      return designated_roles.includes(sender);
    default:
      return sender === initiator;
  }
}

const blank = (text: string): boolean => text.trim() === "";

/** Whether a commitment's own fields contradict the session or each other. */
export function contradicts(terms: SessionTerms, payload: CommitmentPayload): boolean {
  const { action, policyVersion, supersedes } = payload;
  const outcome = outcomeOf(action);
  return (
    blank(payload.commitmentId) ||
    blank(action) ||
    blank(payload.authorityScope) ||
    blank(payload.reason) ||
    payload.modeVersion !== terms.modeVersion ||
    payload.configurationVersion !== terms.configurationVersion ||
    (policyVersion !== "" && policyVersion !== terms.policyVersion) ||
    (supersedes !== undefined &&
      (blank(supersedes.sessionId) || blank(supersedes.commitmentHash))) ||
    (outcome !== undefined && outcome !== payload.outcomePositive)
  );
}
