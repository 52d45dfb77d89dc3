import { type Approval, approvalDigest, textDigest } from "@agentkeys/contract";
import { isRecord } from "../json/is-record.ts";
import { unavailable } from "../transport/unavailable.ts";

const texts = [
  "id",
  "actor",
  "operator_omni",
  "tool",
  "call_id",
  "input_digest",
  "text",
  "text_digest",
  "digest",
  "policy_version",
  "reason",
  "explanation",
] as const;
const states = new Set(["pending", "approved", "denied", "withdrawn", "expired"]);

/** Whole, and its digests say what it says: whoever quotes the digest has read this text about this call. */
export function isApproval(value: unknown): value is Approval {
  if (!isRecord(value)) return false;
  const { kind, scope, params, status, created_at, expires_at, run_key, decided } = value;
  const known =
    texts.every((field) => typeof value[field] === "string") &&
    (kind === "guard" || kind === "review") &&
    (scope === null || typeof scope === "string") &&
    isRecord(params) &&
    states.has(status as string) &&
    Number.isSafeInteger(created_at) &&
    Number.isSafeInteger(expires_at) &&
    (run_key === undefined || typeof run_key === "string") &&
    (decided === undefined ? status === "pending" : isRecord(decided));
  if (!known) return false;
  const approval = value as unknown as Approval;
  return approval.id !== "" && bindsItsWords(approval);
}

/** All of them whole, or none. */
export function readApprovals(answer: unknown): Approval[] {
  const found: unknown = isRecord(answer) ? answer["approvals"] : undefined;
  if (Array.isArray(found) && found.every(isApproval)) return found;
  throw unavailable("malformed answer: not a list of approvals");
}

function bindsItsWords(approval: Approval): boolean {
  try {
    return (
      approval.text_digest === textDigest(approval.text) &&
      approval.digest === approvalDigest(approval)
    );
  } catch {
    // Half a character has no digest.
    return false;
  }
}
