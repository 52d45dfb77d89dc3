import { AgentKeysError } from "@agentkeys/contract";
import { macpErrors } from "../protocol/error-codes.ts";
import type { Problem } from "../protocol/ids.ts";

/** The error that a runtime's refusal would become. */
export function refusal({ code, message }: Problem): AgentKeysError {
  return new AgentKeysError(macpErrors[code].code, message, { data: { macp_code: code } });
}

/** Throws it, before the wire. */
export function refuse(problem: Problem | undefined): void {
  if (problem !== undefined) throw refusal(problem);
}
