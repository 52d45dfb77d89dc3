import { AgentKeysError } from "@agentkeys/contract";
import type { ApprovalRef, Denial, JsonObject, Outcome } from "./guard-surface.ts";

/** What is asked of an authority about one call. */
export interface Question {
  readonly tool: string;
  readonly callId: string | undefined;
  readonly runKey: string | undefined;
  /** null: an operation of AgentKeys that needs none, or a refusal without one. */
  readonly scope: string | null;
  readonly params: JsonObject;
  /** null where the input has none. */
  readonly inputDigest: string | null;
  /** Input fields recorded in clear. */
  readonly clear: JsonObject | undefined;
  /** Refused here already; the authority only writes it down. */
  readonly refused: Refusal | undefined;
  /** Nothing here can say what it is; a person may. */
  readonly uncertain: Refusal | undefined;
  /** What a person reads; undefined = the authority's own text. */
  readonly text: string | undefined;
  /** Shown to the person. */
  readonly input: unknown;
  readonly idempotent: boolean;
  readonly asking: Asking;
}

/** How one attempt asks. */
export interface Asking {
  /** Default: true. */
  readonly mayAsk?: boolean | undefined;
  /** The approval that was waited for. */
  readonly grant?: string | undefined;
}

export interface Refusal {
  readonly code: Denial["code"];
  readonly reason: string;
  readonly explanation: string;
}

export type End = (outcome: Outcome, settled?: { result: unknown }) => Promise<void>;

/** Accepted and durably recorded. `end` writes the outcome and never rejects. */
export interface Begun {
  readonly status: "begun";
  readonly end: End;
  /** The approval that was used up. */
  readonly approval: string | undefined;
}

/** The same call has ended before; nothing may run. */
export interface Executed {
  readonly status: "executed";
  readonly result: unknown;
}

/** A word that is no verdict, from an authority that answered. */
export interface Unheard {
  readonly status: "unheard";
  readonly denial: Denial;
}

export type Verdict = Begun | Executed | Denial;

export function isRefusal(verdict: Verdict): verdict is Denial {
  return verdict.status !== "begun" && verdict.status !== "executed";
}

export function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

export function isEnvelopeHash(value: unknown): value is string {
  return typeof value === "string" && /^0x[0-9a-f]{64}$/.test(value);
}

interface DenialFacts extends Refusal {
  readonly scope: string | null;
  readonly status?: Denial["status"];
  readonly approval?: ApprovalRef | undefined;
}

export function toDenial(facts: DenialFacts): Denial {
  const { status = "denied", code, reason, explanation, scope, approval } = facts;
  const why = explanation === "" ? reason : `${reason} (${explanation})`;
  const denial = {
    status,
    code,
    reason,
    explanation,
    scope,
    message: `Denied by AgentKeys: ${why}`,
  };
  return approval === undefined ? denial : { ...denial, approval };
}

/** Reasons of an authority that say more than that the call is not permitted. */
const tellingReasons = new Set([
  "already_executed",
  "outcome_unknown",
  "approval_pending",
  "approval_expired",
] as const satisfies Denial["code"][]);

function codeOf(reason: string): Denial["code"] {
  const telling: ReadonlySet<string> = tellingReasons;
  return telling.has(reason) ? (reason as Denial["code"]) : "permission_denied";
}

/** A verdict that is no `accept`, in the authority's own words. */
export function denialFor(
  verdict: "deny" | "ask_parent",
  facts: Omit<DenialFacts, "code" | "status">,
): Denial {
  if (verdict === "deny")
    return toDenial({ ...facts, code: codeOf(facts.reason), approval: undefined });
  return toDenial({ ...facts, status: "asked", code: "approval_required" });
}

export function isRefusing(verdict: string): verdict is "deny" | "ask_parent" {
  return verdict === "deny" || verdict === "ask_parent";
}

export function unheard(verdict: string, scope: string | null): Unheard {
  const explanation = `the authority answered ${JSON.stringify(verdict.slice(0, 40))}`;
  const reason = "unknown_verdict";
  const denial = toDenial({ code: "permission_denied", reason, explanation, scope });
  return { status: "unheard", denial };
}

/** A decision or a record that could not be had. */
export function denialOf(
  thrown: unknown,
  { scope }: Question,
  signal: AbortSignal | undefined,
): Denial {
  if (isAborted(signal)) return abortedDenial(scope);
  const { code, message } = AgentKeysError.from(thrown);
  return toDenial({ code, reason: code, explanation: message, scope });
}

export function abortedDenial(scope: string | null): Denial {
  const explanation = "the run was aborted before the tool started";
  return toDenial({ code: "permission_denied", reason: "aborted", explanation, scope });
}

/** A denial as the error that a guarded function rejects with. */
export function deniedError(denial: Denial): AgentKeysError {
  const { status, reason, explanation, scope, message, approval } = denial;
  const code = status === "asked" ? "approval_required" : codeOf(reason);
  const data = { reason, explanation, scope, ...(approval && { approval }) };
  return new AgentKeysError(code, message, { data });
}
