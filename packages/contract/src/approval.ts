import { bytesToHex0x } from "./bytes.ts";
import { encodeCanonical } from "./cbor.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import { keccak256 } from "./keccak.ts";

export type ApprovalStatus = "pending" | "approved" | "denied" | "withdrawn" | "expired";

/** What a decision is remembered for: this tool or this input, in this thread or for this actor, so many seconds. */
export interface Remember {
  match: "tool" | "input";
  for: "thread" | "actor";
  ttl_seconds: number;
}

/** Who ended an approval's wait, and how. */
export interface ApprovalDecision {
  outcome: Exclude<ApprovalStatus, "pending">;
  /** Omni of the operator, or of the actor that withdrew; null = time ran out. */
  approver: string | null;
  /** The person, as the operator's program names it. */
  by?: string;
  reason: string;
  /** Unix seconds. */
  at: number;
  evidence?: JsonObject;
  remember?: Remember;
}

/** Who decides together: this many of these people, by their names in the coordination runtime. */
export interface Quorum {
  approvers: string[];
  required: number;
}

/** One question to a person, as the authority sends it. Times are unix seconds, digests `0x` and 64 hex digits. */
export interface Approval {
  id: string;
  /** `guard`: approving it lets one call run once. `review`: an opinion, which lets nothing run. */
  kind: "guard" | "review";
  actor: string;
  operator_omni: string;
  tool: string;
  scope: string | null;
  params: JsonObject;
  clear?: JsonObject;
  /** For the operator alone, only while it is pending, where the client shows inputs. */
  input?: JsonValue;
  call_id: string;
  run_key?: string;
  input_digest: string;
  /** What the person reads. */
  text: string;
  text_digest: string;
  /** What an approval quotes: `approvalDigest` of all that it binds. */
  digest: string;
  policy_version: string;
  /** Where the policy names one: its outcome, and nobody's word alone, lets the call run. */
  quorum?: Quorum;
  reason: string;
  explanation: string;
  status: ApprovalStatus;
  created_at: number;
  expires_at: number;
  decided?: ApprovalDecision;
  /** When the call began that used it up. */
  executed_at?: number;
}

/** A decision that is remembered, as the authority sends it. Times are unix seconds. */
export interface ApprovalRule {
  id: string;
  actor: string;
  operator_omni: string;
  tool: string;
  scope: string | null;
  match: Remember["match"];
  for: Remember["for"];
  /** With `match: "input"`. */
  input_digest?: string;
  /** With `for: "thread"`: the run key's part before the first `#`. */
  thread?: string;
  /** The approval whose decision is remembered. */
  approval: string;
  approver: string;
  by?: string;
  reason: string;
  created_at: number;
  expires_at: number;
  revoked_at?: number;
}

const text = new TextEncoder();

/** keccak256 of a text's UTF-8. */
export function textDigest(of: string): string {
  return bytesToHex0x(keccak256(text.encode(of)));
}

/** What an approval binds, as the digest that a decision must quote. */
export function approvalDigest(
  approval: Pick<
    Approval,
    | "id"
    | "actor"
    | "tool"
    | "scope"
    | "input_digest"
    | "text_digest"
    | "policy_version"
    | "call_id"
    | "expires_at"
  > & { run_key?: string | undefined; quorum?: Quorum | undefined },
): string {
  const { id, actor, tool, scope, input_digest, text_digest } = approval;
  const { policy_version, call_id, run_key = null, expires_at, quorum } = approval;
  const what = { id, actor, tool, scope, input_digest, text_digest };
  const how = quorum && { quorum: { approvers: quorum.approvers, required: quorum.required } };
  const bound = { ...what, policy_version, call_id, run_key, expires_at, ...how };
  return bytesToHex0x(keccak256(encodeCanonical(bound)));
}

/** The thread of a run key: what comes before the first `#`. */
export function threadOf(runKey: string): string {
  return runKey.split("#", 1)[0] ?? "";
}
