import type { DecisionRules } from "./rules.ts";
import { strictSchemaVersion } from "./policy.ts";

/** Votes by proposal and voter, as the decision mode keeps them. */
export type Votes = ReadonlyMap<string, ReadonlyMap<string, { readonly vote: string }>>;

export interface Tally {
  /** Explicit votes, over all proposals. Under `weighted` these are sums of weights. */
  readonly approve: number;
  readonly reject: number;
  /** Rejections that count, as votes whatever the weights. */
  readonly decisiveRejects: number;
  /** Participants that voted at all, on whatever and however. */
  readonly voters: number;
}

/** Whoever is not in the table of weights weighs 1 up to version 2 and nothing from 3 on. */
export function tally(votes: Votes, voting: DecisionRules["voting"], schemaVersion: number): Tally {
  const weighted = voting.algorithm === "weighted";
  const unlisted = schemaVersion >= strictSchemaVersion ? 0 : 1;
  const weights = new Map(weighted ? Object.entries(voting.weights) : []);
  const voters = new Set<string>();
  let [approve, reject, decisiveRejects] = [0, 0, 0];
  for (const ballots of votes.values()) {
    for (const [voter, { vote }] of ballots) {
      voters.add(voter);
      const weight = weighted ? (weights.get(voter) ?? unlisted) : 1;
      if (vote === "APPROVE") approve += weight;
      if (vote !== "REJECT") continue;
      reject += weight;
      if (weight > 0 || schemaVersion < strictSchemaVersion) decisiveRejects += 1;
    }
  }
  return { approve, reject, decisiveRejects, voters: voters.size };
}

export type Verdict =
  | { readonly kind: "passed" | "failed"; readonly reason: string }
  | { readonly kind: "no_votes" };

interface Question {
  readonly voting: DecisionRules["voting"];
  readonly votes: Votes;
  readonly participants: readonly string[];
  readonly tally: Tally;
}

const percent = (ratio: number): string => `${(ratio * 100).toFixed(1)}%`;

/** What is not in this table is no algorithm, and fails. `none` never gets here. */
const algorithms: Readonly<Record<string, (question: Question) => Verdict>> = {
  majority: (question) => share("majority", question, question.voting.threshold),
  supermajority: (question) => {
    const { threshold } = question.voting;
    return share("supermajority", question, threshold > 0.5 ? threshold : 2 / 3);
  },
  weighted: (question) => share("weighted", question, question.voting.threshold),
  unanimous({ votes, participants, tally: { approve, reject } }) {
    const ballots = [...votes.values()];
    const all = participants.every((participant) =>
      ballots.some((of) => of.get(participant)?.vote === "APPROVE"),
    );
    if (all && reject === 0) {
      return { kind: "passed", reason: "unanimous vote passed: all participants approved" };
    }
    const reason = `unanimous vote failed: ${approve} approve, ${reject} reject out of ${participants.length} participants`;
    return { kind: "failed", reason };
  },
  plurality({ tally: { approve, reject } }) {
    const counts = `${approve} approve vs ${reject} reject`;
    if (approve > reject) return { kind: "passed", reason: `plurality vote passed: ${counts}` };
    const how = approve === reject ? "tied" : "failed";
    return { kind: "failed", reason: `plurality vote ${how}: ${counts}` };
  },
};

/** Inclusive, in binary64: a majority at 0.5 passes a tie. */
function share(name: string, { tally: { approve, reject } }: Question, threshold: number): Verdict {
  const ratio = approve / (approve + reject);
  const what = name === "weighted" ? "weighted approve" : "approve";
  return ratio >= threshold
    ? {
        kind: "passed",
        reason: `${name} vote passed: ${percent(ratio)} ${what} (threshold: ${percent(threshold)})`,
      }
    : {
        kind: "failed",
        reason: `${name} vote failed: ${percent(ratio)} ${what}, need >= ${percent(threshold)}`,
      };
}

/** The votes' answer under an algorithm other than `none`. Abstentions decide nothing. */
export function count(question: Question): Verdict {
  const { approve, reject } = question.tally;
  if (approve + reject === 0) return { kind: "no_votes" };
  const { algorithm } = question.voting;
  if (Object.hasOwn(algorithms, algorithm)) {
    const ask = algorithms[algorithm];
    if (ask !== undefined) return ask(question);
  }
  const reason = `unknown voting algorithm '${algorithm}'; supported: ${Object.keys(algorithms).join(", ")}, none`;
  return { kind: "failed", reason };
}
