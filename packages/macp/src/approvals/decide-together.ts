import { AgentKeysError, type Approval } from "@agentkeys/contract";
import { isRetryable, pause } from "../client/retry.ts";
import { commitmentHash } from "../protocol/commitment-hash.ts";
import { newMessageId } from "../protocol/ids.ts";
import type { ApprovalBridgeOptions, JointDecision } from "./bridge-surface.ts";
import type { Grounds } from "./operator.ts";
import { toQuestion } from "./question.ts";
import type { Tally } from "./tally.ts";
import { openVote, type Vote } from "./vote.ts";

/** One vote on one approval, from its session to the authority's record. Rejects where nothing was decided. */
export async function decideTogether(
  { client, operator, mode = "quorum", onPoll }: ApprovalBridgeOptions,
  approval: Approval,
  given: AbortSignal | undefined,
): Promise<JointDecision> {
  given?.throwIfAborted();
  const question = toQuestion(approval, Date.now());
  const late = AbortSignal.timeout(question.leftMs);
  const signal = given === undefined ? late : AbortSignal.any([given, late]);
  const vote = await openVote[mode](client, question, signal);
  const { session } = vote;
  try {
    await vote.ask(signal);
    const { approvers } = question.quorum;
    onPoll?.({ approval, sessionId: session.id, approvers });
    const { status, tally, evidence } = await settle(vote, signal);
    // From here on the authority alone says whether it still counts.
    const decide = status === "approved" ? "approve" : "deny";
    const answer = await operator.approvals[decide](approval, { ...wordsOf(tally), evidence });
    return { status, approval: answer.approval, tally, evidence };
  } catch (error) {
    if (!session.projection.isCommitted) await session.cancel("no decision").catch(() => undefined);
    if (!late.aborted || given?.aborted === true) throw error;
    throw new AgentKeysError("approval_expired", `approval ${approval.id} has expired`, {
      cause: error,
    });
  } finally {
    await session.close();
  }
}

/** Waits for the ballots, commits what they say, and counts them once more. */
async function settle(vote: Vote, signal: AbortSignal): Promise<Omit<JointDecision, "approval">> {
  const { session } = vote;
  const status = await session.until(() => vote.tally()?.outcome, { signal });
  const messageId = newMessageId();
  await commit(vote, messageId, signal);
  const { projection } = session;
  const { commitment, transcript } = projection;
  const last = transcript.find(({ messageType }) => messageType === "Commitment");
  const tally = vote.tally();
  // Somebody else's commitment is somebody else's decision, whatever it claims.
  if (commitment === undefined || last?.messageId !== messageId || tally?.outcome !== status) {
    throw new AgentKeysError("conflict", `session ${session.id} was ended by somebody else`);
  }
  const evidence = { session_id: session.id, commitment_hash: commitmentHash(commitment) };
  return { status, tally, evidence };
}

/** A runtime that is away is waited for: the same message counts once. */
async function commit({ session, tally }: Vote, messageId: string, signal: AbortSignal) {
  const counted = tally();
  if (counted === undefined) throw new AgentKeysError("conflict", "the question is gone");
  const action = counted.outcome === "approved" ? "approval.approved" : "approval.rejected";
  const { reason } = wordsOf(counted);
  const decided = { action, authorityScope: "agentkeys.approval", reason, messageId, signal };
  for (;;) {
    try {
      await session.commit(decided);
      return;
    } catch (error) {
      if (session.projection.isCommitted) return;
      if (!isRetryable(error, { idempotent: true })) throw error;
      await pause(retryMs, signal);
    }
  }
}

/** Milliseconds, beside what the client waits itself. */
const retryMs = 250;

/** Within what the authority takes. */
function wordsOf({ approved, rejected, required, outcome }: Tally): Pick<Grounds, "reason" | "by"> {
  const who = outcome === "approved" ? approved : rejected;
  const names = who.length === 0 ? "nobody" : who.join(", ");
  const against = outcome === "approved" ? "" : `, ${rejected.length} rejections`;
  return {
    by: names.length > 200 ? `${who.length} approvers` : names,
    reason: `${approved.length} of ${required} needed approvals${against}`,
  };
}
