import { AgentKeysError } from "@agentkeys/contract";
import type { ErrorCode } from "@agentkeys/contract";

export interface Refusal {
  status: number;
  error: string;
  reason: string;
  code: ErrorCode;
}

/** What upstream's MCP server says when broker or worker refuse: their body, verbatim. `step` names the call that failed. */
export function refusal(step: string, { status, error, reason, code }: Refusal): AgentKeysError {
  return backendError(step, status, { text: JSON.stringify({ error, reason }), code });
}

export function backendError(
  step: string,
  status: number,
  { text, code }: { text: string; code: ErrorCode },
): AgentKeysError {
  return new AgentKeysError(code, `${step}backend HTTP error (${status}): ${text}`);
}

/** A scope, namespace or service that the actor was not given. */
export function scopeDenied(step: string): AgentKeysError {
  return refusal(step, {
    status: 403,
    error: "requested service is not in agent's scope",
    reason: "service_not_in_scope",
    code: "scope_denied",
  });
}
