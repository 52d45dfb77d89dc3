import { AgentKeysError } from "@agentkeys/contract";
import type { MacpClient } from "../client/client.ts";
import type { SessionStartInit } from "../protocol/session-start.ts";
import type { DecisionSession } from "../sessions/decision.ts";
import type { QuorumSession } from "../sessions/quorum.ts";
import type { Question } from "./question.ts";
import { type CastBallot, type Choice, type Tally, tally } from "./tally.ts";

/** A session that the bridge has opened itself. */
export interface Vote {
  readonly session: QuorumSession | DecisionSession;
  /** Puts the question to the approvers. */
  ask(signal: AbortSignal): Promise<void>;
  /** Counted anew from the ballots; undefined where the question in the session is not ours. */
  tally(): Tally | undefined;
}

export type VoteMode = "quorum" | "decision";

type OpenVote = (client: MacpClient, question: Question, signal: AbortSignal) => Promise<Vote>;

const openQuorum: OpenVote = async (client, question, signal) => {
  const { approval, quorum, quote } = question;
  const { id, tool, text: summary } = approval;
  const session = await client.quorum.start(startOf(question, quorum.approvers), { signal });
  return {
    session,
    async ask(stop) {
      const what = { requiredApprovals: quorum.required, summary, details: quote };
      await session.requestApproval(id, tool, { ...what, signal: stop });
    },
    tally() {
      const { projection } = session;
      const { request, ballots } = projection.state;
      const ours =
        request?.requestId === id &&
        request.sender === projection.initiator &&
        sameBytes(request.details, quote);
      return ours ? tally(quorumBallots(ballots.values()), quorum) : undefined;
    },
  };
};

const openDecision: OpenVote = async (client, question, signal) => {
  const { approval, quorum, quote } = question;
  const { id, tool, text: rationale } = approval;
  const me = client.auth?.expectedSender;
  if (me === undefined) {
    const problem = "the client's credential must say who it speaks for: expectedSender";
    throw new AgentKeysError("config_invalid", problem);
  }
  // Whoever proposes must take part. Its vote counts only where the policy names it.
  const participants = [...new Set([me, ...quorum.approvers])];
  const session = await client.decision.start(startOf(question, participants), { signal });
  return {
    session,
    async ask(stop) {
      await session.propose(id, tool, { rationale, supportingData: quote, signal: stop });
    },
    tally() {
      const { projection } = session;
      const { proposals, votes, objections } = projection.state;
      const proposal = proposals.get(id);
      const ours =
        proposal?.sender === projection.initiator && sameBytes(proposal.supportingData, quote);
      const vetoes = objections.filter((o) => o.proposalId === id && o.severity === "critical");
      const ballots: CastBallot[] = [
        ...vetoes.map(({ sender: voter }): CastBallot => ({ voter, choice: "veto" })),
        ...decisionBallots(votes.get(id)?.values() ?? []),
      ];
      return ours ? tally(ballots, quorum) : undefined;
    },
  };
};

export const openVote: Readonly<Record<VoteMode, OpenVote>> = {
  quorum: openQuorum,
  decision: openDecision,
};

/** The approval's id is the session's context: approvers find the session by it. */
function startOf(
  { approval, leftMs }: Question,
  participants: readonly string[],
): SessionStartInit {
  const intent = `approval of ${approval.tool}`;
  return { intent, participants, ttlMs: leftMs, context: { id: approval.id } };
}

type Sent<T extends string, W extends string> = Iterable<
  { readonly sender: string } & Readonly<Record<T, W>>
>;

function* quorumBallots(
  ballots: Sent<"choice", "Approve" | "Reject" | "Abstain">,
): Generator<CastBallot> {
  const words = { Approve: "approve", Reject: "reject", Abstain: "abstain" } as const;
  for (const { sender: voter, choice } of ballots) yield { voter, choice: words[choice] };
}

/** A word that is none of the three decides nothing. */
function* decisionBallots(votes: Sent<"vote", string>): Generator<CastBallot> {
  const words: Readonly<Record<string, Choice>> = { APPROVE: "approve", REJECT: "reject" };
  for (const { sender: voter, vote } of votes) yield { voter, choice: words[vote] ?? "abstain" };
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
