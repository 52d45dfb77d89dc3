import { AgentKeysError } from "@agentkeys/contract";
import { macpErrors } from "../protocol/error-codes.ts";
import type { Problem } from "../protocol/ids.ts";

/** Throws, before the wire, the error that a runtime's refusal would become. */
export function refuse(problem: Problem | undefined): void {
  if (problem === undefined) return;
  const { code, message } = problem;
  throw new AgentKeysError(macpErrors[code].code, message, { data: { macp_code: code } });
}
