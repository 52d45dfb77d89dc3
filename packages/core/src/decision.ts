import { AgentKeysError } from "@agentkeys/contract";
import type { Denial, JsonObject, Outcome } from "./guard-surface.ts";

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
}

export interface Refusal {
  readonly code: Denial["code"];
  readonly reason: string;
  readonly explanation: string;
}

/** Accepted and durably recorded. `end` writes the outcome and never rejects. */
export interface Begun {
  readonly status: "begun";
  readonly end: (outcome: Outcome) => Promise<void>;
}

export function isRefusal(verdict: Begun | Denial): verdict is Denial {
  return verdict.status !== "begun";
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
}

export function toDenial({
  status = "denied",
  code,
  reason,
  explanation,
  scope,
}: DenialFacts): Denial {
  const why = explanation === "" ? reason : `${reason} (${explanation})`;
  return { status, code, reason, explanation, scope, message: `Denied by AgentKeys: ${why}` };
}

/** A verdict that is no `accept`, in the authority's own words. */
export function denialFor(verdict: string, facts: Omit<DenialFacts, "code" | "status">): Denial {
  if (verdict === "ask_parent")
    return toDenial({ ...facts, status: "asked", code: "approval_required" });
  if (verdict === "deny") return toDenial({ ...facts, code: "permission_denied" });
  return toDenial({
    code: "permission_denied",
    reason: "unknown_verdict",
    explanation: `the authority answered ${JSON.stringify(verdict.slice(0, 40))}`,
    scope: facts.scope,
  });
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
export function deniedError({
  status,
  reason,
  explanation,
  scope,
  message,
}: Denial): AgentKeysError {
  const code = status === "asked" ? "approval_required" : "permission_denied";
  return new AgentKeysError(code, message, { data: { reason, explanation, scope } });
}
