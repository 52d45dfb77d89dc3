import { AgentKeysError } from "@agentkeys/contract";

/** No answer that can be trusted. The message is ours and quotes nothing of what was received. */
export function unavailable(message: string, cause?: unknown): AgentKeysError {
  return new AgentKeysError("authority_unavailable", message, cause === undefined ? {} : { cause });
}

/** Whatever sending threw: a typed error as it is, anything else as `authority_unavailable` with its code. */
export function unreachable(error: unknown): AgentKeysError {
  if (AgentKeysError.is(error)) return error;
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: { code?: unknown } };
  const known = [code, cause?.code].find((found) => typeof found === "string");
  return unavailable(`authority unreachable${known === undefined ? "" : `: ${known}`}`, error);
}
