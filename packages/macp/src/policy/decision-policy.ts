import { type BoundRules, strictSchemaVersion } from "./policy.ts";
import type { DecisionRules } from "./rules.ts";
import { count, type Tally, tally, type Votes } from "./tally.ts";

/** What of a decision a policy looks at. */
export interface DecisionFacts {
  readonly participants: readonly string[];
  readonly evaluations: readonly { readonly recommendation: string; readonly confidence: number }[];
  readonly objections: readonly { readonly severity: string; readonly sender: string }[];
  readonly votes: Votes;
}

/** Why a commitment with this outcome may not be made; empty when it may. */
export function decisionDenials(
  bound: BoundRules<DecisionRules>,
  facts: DecisionFacts,
  positive: boolean,
): string[] {
  if (bound.problem !== undefined) return [bound.problem];
  const { rules, schemaVersion } = bound;
  const counted = tally(facts.votes, rules.voting, schemaVersion);
  const veto = vetoOf(rules, facts);
  // Newer schema: a standing critical objection is itself the dissent that a decline needs.
  const waived = veto?.permitsDecline === true && !positive && schemaVersion >= strictSchemaVersion;
  return [
    ...evaluationDenials(rules, facts),
    ...(veto === undefined || (veto.permitsDecline && !positive) ? [] : [veto.reason]),
    ...(waived ? [] : voteQuorumDenials(rules, facts, counted)),
    ...(waived ? [] : voteDenials(bound, facts, { counted, positive })),
  ];
}

/** REVIEW informs and satisfies nothing. A minimum alone, without `required_before_voting`, gates nothing. */
function evaluationDenials({ evaluation }: DecisionRules, facts: DecisionFacts): string[] {
  if (!evaluation.required_before_voting) return [];
  const opinions = facts.evaluations.filter(({ recommendation }) => recommendation !== "REVIEW");
  const minimum = evaluation.minimum_confidence;
  if (minimum > 0) {
    if (opinions.some(({ confidence }) => confidence >= minimum)) return [];
    return [`no qualifying evaluation meets minimum confidence threshold: ${minimum.toFixed(2)}`];
  }
  return opinions.length > 0
    ? []
    : [
        "evaluations required before voting but none provided (REVIEW evaluations are informational only)",
      ];
}

interface Veto {
  readonly reason: string;
  readonly permitsDecline: boolean;
}

/** Critical objections to any proposal count together. */
function vetoOf(
  { objection_handling: rules }: DecisionRules,
  facts: DecisionFacts,
): Veto | undefined {
  if (!rules.critical_severity_vetoes) return undefined;
  const by = facts.objections
    .filter(({ severity }) => severity === "critical")
    .map(({ sender }) => sender);
  if (by.length < rules.veto_threshold) return undefined;
  const detail = `${by.length} blocking objection(s) (veto threshold: ${rules.veto_threshold}), from: ${by.join(", ")}`;
  const action = rules.critical_objection_action;
  const reason = {
    deny: `blocked by ${detail}`,
    hold: `held for escalation by ${detail} (critical_objection_action=hold)`,
    finalize_decline: `veto blocks a positive commitment: ${detail} (critical_objection_action=finalize_decline)`,
  }[action];
  return { reason, permitsDecline: action === "finalize_decline" };
}

function voteQuorumDenials(
  rules: DecisionRules,
  facts: DecisionFacts,
  { voters }: Tally,
): string[] {
  if (!rules.commitment.require_vote_quorum) return [];
  const { type, value } = rules.voting.quorum;
  const total = facts.participants.length;
  const reached = type === "percentage" ? (total === 0 ? 0 : (voters / total) * 100) : voters;
  if (reached >= value) return [];
  return [
    `vote quorum not met: ${voters} voters of ${total} participants (quorum: ${value} ${type})`,
  ];
}

function voteDenials(
  { rules, schemaVersion }: BoundRules<DecisionRules>,
  facts: DecisionFacts,
  { counted, positive }: { counted: Tally; positive: boolean },
): string[] {
  const { voting, commitment } = rules;
  if (voting.algorithm === "none") return [];
  const strict = schemaVersion >= strictSchemaVersion;
  const verdict = count({
    voting,
    votes: facts.votes,
    participants: facts.participants,
    tally: counted,
  });
  switch (verdict.kind) {
    case "passed":
      if (positive) return [];
      if (!commitment.allow_decline_over_approval) {
        return [
          `vote passed the approval threshold but a decline was requested; set commitment.allow_decline_over_approval to permit an executive override (${verdict.reason})`,
        ];
      }
      return strict && counted.decisiveRejects === 0
        ? [
            `allow_decline_over_approval permits a decline over a passing vote, but no decisive reject backs it: ${verdict.reason}`,
          ]
        : [];
    case "failed":
      if (positive) return [verdict.reason];
      return counted.decisiveRejects > 0
        ? []
        : [
            `approval threshold not met but no explicit reject to justify a decline (incomplete participation is not a rejection): ${verdict.reason}`,
          ];
    case "no_votes":
      if (!positive) return ["no votes cast; a decline requires at least one explicit reject vote"];
      if (strict) {
        return [
          `no decisive votes cast: under policy schema_version ${schemaVersion} the '${voting.algorithm}' voting algorithm is binding on an empty tally`,
        ];
      }
      return commitment.require_vote_quorum ? ["no votes cast"] : [];
  }
}
