import type { DecisionProjection, DecisionProposal } from "../projections/decision.ts";
import type { Recommendation, Vote } from "../protocol/constants.ts";
import { refusalOf } from "../protocol/refusal.ts";
import type { DecisionSession } from "../sessions/decision.ts";
import type { CommitOptions } from "../sessions/session-surface.ts";
import type { AnyCase } from "../sessions/words.ts";
import type { ParticipantContext, Strategy } from "./participant.ts";

export interface Opinion {
  recommendation: AnyCase<Recommendation>;
  /** 0 to 1. Default: 1. */
  confidence?: number;
  reason?: string;
}

export interface BallotChoice {
  vote: AnyCase<Vote>;
  reason?: string;
}

type Context = ParticipantContext<DecisionSession>;
type Answer<T> = T | undefined | Promise<T | undefined>;

/** Milliseconds that the message behind a refusal may be on its way to us. */
const longestLag = 1000;

/** Sends what is due; what another message has made undue while it was on its way is no error. */
async function unlessOvertaken(
  { session }: Context,
  send: () => Promise<unknown>,
  isDue: () => boolean,
): Promise<void> {
  try {
    await send();
  } catch (error) {
    const refused = refusalOf(error);
    if (refused === undefined) throw error;
    if (refused.code === "SESSION_NOT_OPEN") return;
    const signal = AbortSignal.timeout(longestLag);
    await session.until(() => !isDue(), { signal }).catch(() => undefined);
    if (isDue()) throw error;
  }
}

/** Evaluates every proposal of others once, until the voting begins; undefined leaves one alone. */
export function evaluateWith(
  evaluator: (proposal: DecisionProposal, context: Context) => Answer<Opinion>,
): Strategy<DecisionSession> {
  const left = new Set<string>();
  return async (context) => {
    const { session, me, signal } = context;
    const { projection } = session;
    for (const proposal of projection.state.proposals.values()) {
      const { proposalId, sender } = proposal;
      const isDue = () =>
        projection.phase === "Evaluation" &&
        !projection.state.evaluations.some((e) => e.proposalId === proposalId && e.sender === me);
      if (sender === me || left.has(proposalId) || !isDue()) continue;
      const opinion = await evaluator(proposal, context);
      if (opinion === undefined) {
        left.add(proposalId);
        continue;
      }
      const { recommendation, ...options } = opinion;
      const evaluate = () => session.evaluate(proposalId, recommendation, { ...options, signal });
      if (isDue()) await unlessOvertaken(context, evaluate, isDue);
    }
  };
}

export interface VotingOptions {
  /** When to vote: a first vote ends the evaluation for everyone. Default: `everyoneEvaluated`. */
  ready?: (projection: DecisionProjection) => boolean;
}

/** Whether each proposal was evaluated by every participant but its proposer and the initiator. */
export function everyoneEvaluated({ state, participants, initiator }: DecisionProjection): boolean {
  const { proposals, evaluations } = state;
  return [...proposals.values()].every(({ proposalId, sender }) =>
    participants.every(
      (p) =>
        p === sender ||
        p === initiator ||
        evaluations.some((e) => e.proposalId === proposalId && e.sender === p),
    ),
  );
}

/** Votes once on every proposal, when it is time; undefined leaves one alone. */
export function voteWith(
  voter: (proposal: DecisionProposal, context: Context) => Answer<BallotChoice>,
  { ready = everyoneEvaluated }: VotingOptions = {},
): Strategy<DecisionSession> {
  const left = new Set<string>();
  return async (context) => {
    const { session, me, signal } = context;
    const { projection } = session;
    for (const proposal of projection.state.proposals.values()) {
      const { proposalId } = proposal;
      const isDue = () =>
        !projection.isCommitted && projection.state.votes.get(proposalId)?.has(me) !== true;
      if (left.has(proposalId) || !isDue()) continue;
      if (projection.phase !== "Voting" && !ready(projection)) continue;
      const choice = await voter(proposal, context);
      if (choice === undefined) {
        left.add(proposalId);
        continue;
      }
      const { vote, ...options } = choice;
      const cast = () => session.vote(proposalId, vote, { ...options, signal });
      if (isDue()) await unlessOvertaken(context, cast, isDue);
    }
  };
}

/** Commits as soon as the committer gives something to commit. */
export function commitWith(
  committer: (projection: DecisionProjection, context: Context) => Answer<CommitOptions>,
): Strategy<DecisionSession> {
  return async (context) => {
    const { session, signal } = context;
    const isDue = () => !session.projection.isCommitted;
    if (!isDue()) return;
    const commitment = await committer(session.projection, context);
    if (commitment === undefined || !isDue()) return;
    const commit = () => session.commit({ signal, ...commitment });
    await unlessOvertaken(context, commit, isDue);
  };
}

/** Approves where more than that share (default: 0.5) of the evaluations that are not REVIEW recommends APPROVE. */
export function majorityVoter({ threshold = 0.5 }: { threshold?: number } = {}) {
  return ({ proposalId }: DecisionProposal, { session }: Context): BallotChoice => {
    const opinions = session.projection
      .qualifyingEvaluations()
      .filter((evaluation) => evaluation.proposalId === proposalId);
    const favourable = opinions.filter((e) => e.recommendation === "APPROVE").length;
    if (opinions.length === 0) return { vote: "ABSTAIN", reason: "nobody has evaluated it" };
    return {
      vote: favourable / opinions.length > threshold ? "APPROVE" : "REJECT",
      reason: `${favourable} of ${opinions.length} evaluations approve`,
    };
  };
}

export interface MajorityCommitterOptions {
  /** What the commitment is about, as a dotted word without its outcome. Its action ends in `.selected`. */
  action: string;
  authorityScope: string;
  /** Participants that must have voted. Default: 1. */
  quorumSize?: number;
}

/** Commits to the majority's winner when enough have voted, unless a critical objection stands against it. */
export function majorityCommitter({
  action,
  authorityScope,
  quorumSize = 1,
}: MajorityCommitterOptions) {
  return (projection: DecisionProjection): CommitOptions | undefined => {
    const voters = new Set<string>();
    for (const cast of projection.state.votes.values()) {
      for (const voter of cast.keys()) voters.add(voter);
    }
    const winner = projection.majorityWinner();
    if (voters.size < quorumSize || winner === undefined) return undefined;
    if (projection.hasBlockingObjection(winner)) return undefined;
    return { action: `${action}.selected`, authorityScope, reason: `winner=${winner}` };
  };
}
