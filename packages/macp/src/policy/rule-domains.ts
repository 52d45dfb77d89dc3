import { modeTable } from "../protocol/mode-table.ts";
import type { z } from "zod";
import type { JsonObject } from "./policy.ts";
import {
  commitmentRules,
  type DecisionRules,
  decisionRules,
  handoffRules,
  proposalRules,
  type QuorumRules,
  quorumRules,
  taskRules,
} from "./rules.ts";

/** Values that can only be a mistake, and would change what the policy demands without a word. */
interface Domain<S extends z.ZodType> {
  readonly schema: S;
  readonly problem: (rules: z.output<S>) => string | undefined;
}

const domain = <S extends z.ZodType>(
  schema: S,
  problem: (rules: z.output<S>) => string | undefined = () => undefined,
): Domain<S> => ({ schema, problem });

/** Words that a rule may say; a runtime takes an unknown one for the default. */
const words: Readonly<Record<string, readonly string[]>> = {
  "commitment.authority": ["initiator_only", "any_participant", "designated_role"],
  "acceptance.criterion": ["all_parties", "counterparty", "initiator"],
  "abstention.interpretation": ["neutral", "implicit_reject", "ignored"],
};

const algorithms = ["none", "majority", "supermajority", "unanimous", "weighted", "plurality"];

function votingProblem({ voting }: DecisionRules): string | undefined {
  const { algorithm, threshold, quorum, weights } = voting;
  if (!algorithms.includes(algorithm)) {
    return `voting.algorithm '${algorithm}' is not one of: ${algorithms.join(", ")}`;
  }
  if (!(threshold >= 0 && threshold <= 1)) {
    return `voting.threshold ${threshold} is out of range: must be between 0.0 and 1.0 inclusive`;
  }
  const negative = Object.entries(weights).filter(([, weight]) => weight < 0);
  if (negative.length > 0) {
    const who = negative.map(([participant]) => `'${participant}'`).toSorted();
    return `voting.weights has negative values for: ${who.join(", ")}`;
  }
  if (!["count", "percentage", "n_of_m"].includes(quorum.type)) {
    return `voting.quorum.type '${quorum.type}' is not one of: count, percentage`;
  }
  if (quorum.value < 0) {
    return `voting.quorum.value ${quorum.value} is out of range: must be >= 0`;
  }
  if (algorithm === "weighted" && Object.keys(weights).length === 0) {
    return "voting.algorithm 'weighted' requires non-empty voting.weights";
  }
  if (algorithm === "supermajority" && threshold <= 0.5) {
    return "voting.algorithm 'supermajority' requires voting.threshold > 0.5";
  }
  return undefined;
}

function thresholdProblem({ threshold: { type, value } }: QuorumRules): string | undefined {
  if (!["n_of_m", "percentage", "count"].includes(type)) {
    return `threshold.type '${type}' is not one of: n_of_m, percentage, count`;
  }
  if (value < 0) return `threshold.value ${value} is out of range: must be >= 0`;
  if (type === "percentage" && value > 100) {
    return `threshold.value ${value} is out of range: must be <= 100 when threshold.type is 'percentage'`;
  }
  return undefined;
}

const decision = domain(decisionRules, votingProblem);

const domains: Readonly<Record<string, Domain<z.ZodType>>> = {
  [modeTable.decision.mode]: decision,
  // A policy for every mode is read as a decision's: no other schema says more.
  "*": decision,
  [modeTable.quorum.mode]: domain(quorumRules, thresholdProblem),
  [modeTable.proposal.mode]: domain(proposalRules),
  [modeTable.task.mode]: domain(taskRules),
  [modeTable.handoff.mode]: domain(handoffRules),
};

/** What is wrong with rules for this mode; rules for a mode that is not built in may hold anything. */
export function rulesProblem(mode: string, rules: JsonObject): string | undefined {
  const found = Object.hasOwn(domains, mode) ? domains[mode] : undefined;
  if (found !== undefined) {
    const parsed = found.schema.safeParse(rules);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      const where = `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "not valid"}`;
      return `rules do not match schema for mode '${mode}': ${where}`;
    }
    const problem = found.problem(parsed.data);
    if (problem !== undefined) return problem;
  }
  const commitment = commitmentRules.safeParse(rules["commitment"]);
  return commitment.success &&
    commitment.data.authority === "designated_role" &&
    commitment.data.designated_roles.length === 0
    ? "commitment.authority 'designated_role' requires non-empty commitment.designated_roles"
    : undefined;
}

/** A rule that no runtime knows for this mode, or a word that is not in its list: it would change nothing. */
export function unknownRule(mode: string, rules: JsonObject): string | undefined {
  const parsed = domains[mode]?.schema.safeParse(rules);
  if (parsed === undefined || !parsed.success) return undefined;
  return strayRule(rules, parsed.data as JsonObject, "");
}

function strayRule(given: JsonObject, known: JsonObject, prefix: string): string | undefined {
  for (const [key, value] of Object.entries(given)) {
    const path = `${prefix}${key}`;
    if (!Object.hasOwn(known, key)) return `there is no rule '${path}'`;
    const list = words[path];
    if (list !== undefined && !list.includes(String(value))) {
      return `${path} '${String(value)}' is not one of: ${list.join(", ")}`;
    }
    const stray = isObject(value)
      ? strayRule(value, known[key] as JsonObject, `${path}.`)
      : undefined;
    if (stray !== undefined) return stray;
  }
  return undefined;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
