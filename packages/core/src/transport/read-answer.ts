import type { Approval } from "@agentkeys/contract";
import { isEnvelopeHash, type Question } from "../guard/decision.ts";
import type { ApprovalRef } from "../guard/guard-surface.ts";
import { isRecord } from "../json/is-record.ts";
import { isApproval } from "../approvals/read-approval.ts";

/** What `guard/begin` said, whole. */
export interface Answer {
  readonly verdict: string;
  readonly scope: string | null;
  readonly reason: string;
  readonly explanation: string;
  /** Of an accept: what the end is reported under. */
  readonly ticket: string;
  /** Of an ask: what a person was asked. */
  readonly asked: ApprovalRef | undefined;
  /** Of an accept: the approval that was used up. */
  readonly granted: string | undefined;
  /** The call has ended before, with this result. */
  readonly executed: { readonly result: unknown } | undefined;
}

/**
 * Whole or nothing: an accept must speak of the scope asked for and name its ticket and its record, or the result of the execution
 * it stands for; an ask must speak of this very call. undefined = neither.
 */
export function readAnswer(
  answer: unknown,
  question: Question,
  callId: string,
): Answer | undefined {
  if (!isRecord(answer)) return undefined;
  const { scope } = question;
  const { verdict, reason, explanation } = answer;
  if (typeof verdict !== "string" || typeof reason !== "string") return undefined;
  if (typeof explanation !== "string" || answer["scope"] !== scope) return undefined;
  if (verdict === "accept") return readAccept(answer, { scope, reason, explanation }, question);
  const none = { asked: undefined, granted: undefined, executed: undefined };
  const facts: Answer = { verdict, scope, reason, explanation, ticket: "", ...none };
  const { approval } = answer;
  const about = question.asking.mayAsk !== false && approval !== undefined && approval !== null;
  if (verdict !== "ask_parent" || !about) return facts;
  if (!isApproval(approval) || approval.status !== "pending") return undefined;
  if (!isAbout(approval, question, callId)) return undefined;
  const { id, digest, text, call_id, expires_at } = approval;
  return { ...facts, asked: { id, digest, text, call_id, expires_at } };
}

function isAbout(approval: Approval, question: Question, callId: string): boolean {
  const { kind, tool, scope, call_id, input_digest, run_key } = approval;
  return (
    kind === "guard" &&
    tool === question.tool &&
    scope === question.scope &&
    call_id === callId &&
    input_digest === question.inputDigest &&
    run_key === question.runKey
  );
}

function readAccept(
  answer: Record<string, unknown>,
  { scope, reason, explanation }: Pick<Answer, "scope" | "reason" | "explanation">,
  question: Question,
): Answer | undefined {
  const { ticket, envelope_hash, approval, executed } = answer;
  if (question.refused !== undefined) return undefined;
  if (executed !== undefined && executed !== null) {
    if (!isRecord(executed) || !("result" in executed)) return undefined;
    const { result } = executed;
    const none = { asked: undefined, granted: undefined };
    const ended = { result };
    return { verdict: "accept", scope, reason, explanation, ticket: "", ...none, executed: ended };
  }
  const id = isRecord(approval) ? approval["id"] : undefined;
  if (approval !== undefined && approval !== null && typeof id !== "string") return undefined;
  const granted = id as string | undefined;
  // What no policy knows runs on a person's word only.
  const unbacked = granted === undefined && reason !== "remembered";
  if (question.uncertain !== undefined && question.scope === null && unbacked) return undefined;
  if (typeof ticket !== "string" || ticket === "" || !isEnvelopeHash(envelope_hash))
    return undefined;
  return {
    verdict: "accept",
    scope,
    reason,
    explanation,
    ticket,
    asked: undefined,
    granted,
    executed: undefined,
  };
}
