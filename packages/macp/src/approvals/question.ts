import {
  AgentKeysError,
  type Approval,
  approvalDigest,
  type Quorum,
  textDigest,
} from "@agentkeys/contract";
import { maxTtlMs } from "../protocol/constants.ts";

/** What approvers are asked. */
export interface Question {
  readonly approval: Approval;
  readonly quorum: Quorum;
  /** Goes into the session byte for byte: the approval's id and digest. */
  readonly quote: Uint8Array;
  /** Milliseconds that are left to decide. */
  readonly leftMs: number;
}

/**
 * An approval that is to be voted on. Throws `conflict` for one whose digest is not of what it says, `already_decided` and
 * `approval_expired` for one that waits no more, `invalid_params` where no usable quorum is named.
 */
export function toQuestion(approval: Approval, now: number): Question {
  const { id, digest, status, text, text_digest, quorum } = approval;
  if (status !== "pending") {
    const code = status === "expired" ? "approval_expired" : "already_decided";
    throw new AgentKeysError(code, `approval ${id} is ${status}`);
  }
  if (!isQuorum(quorum)) {
    throw new AgentKeysError("invalid_params", `approval ${id}: no quorum is named for it`);
  }
  if (text_digest !== textDigest(text) || digest !== approvalDigest(approval)) {
    throw new AgentKeysError("conflict", `approval ${id}: its digest is not of what it says`);
  }
  const leftMs = Math.min(maxTtlMs, approval.expires_at * 1000 - now);
  if (leftMs < 1) throw new AgentKeysError("approval_expired", `approval ${id} has expired`);
  const quote = new TextEncoder().encode(JSON.stringify({ approval: id, digest }));
  return { approval, quorum, quote, leftMs };
}

/** Two ways of writing one name would be two votes of one person. */
function isQuorum(quorum: Quorum | undefined): quorum is Quorum {
  if (quorum === undefined) return false;
  const { approvers, required } = quorum;
  const people = new Set(approvers.map((name) => name.normalize("NFKC").trim().toLowerCase()));
  return (
    people.size === approvers.length &&
    !people.has("") &&
    Number.isInteger(required) &&
    required >= 1 &&
    required <= approvers.length
  );
}
