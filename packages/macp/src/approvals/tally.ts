import type { Quorum } from "@agentkeys/contract";

/** `veto`: a rejection that no number of approvals outweighs. */
export type Choice = "approve" | "reject" | "abstain" | "veto";

export interface CastBallot {
  readonly voter: string;
  readonly choice: Choice;
}

/** What the ballots say, whatever anybody claims they do. */
export interface Tally {
  /** Names of approvers, in the order of their ballots. */
  readonly approved: readonly string[];
  readonly rejected: readonly string[];
  readonly required: number;
  /** Undefined while it may go either way. */
  readonly outcome: "approved" | "denied" | undefined;
}

/** One ballot for each approver, the first; a ballot of anybody else is none. */
export function tally(ballots: Iterable<CastBallot>, { approvers, required }: Quorum): Tally {
  const cast = new Map<string, Choice>();
  for (const { voter, choice } of ballots) {
    if (approvers.includes(voter) && !cast.has(voter)) cast.set(voter, choice);
  }
  const who = (...choices: Choice[]) =>
    [...cast].flatMap(([voter, choice]) => (choices.includes(choice) ? [voter] : []));
  const approved = who("approve");
  const vetoed = who("veto").length > 0;
  const reachable = approved.length + approvers.length - cast.size;
  const denied = vetoed || reachable < required;
  const outcome = denied ? "denied" : approved.length >= required ? "approved" : undefined;
  return { approved, rejected: who("reject", "veto"), required, outcome };
}
