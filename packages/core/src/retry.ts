import { AgentKeysError, errorTable } from "@agentkeys/contract";
import { type Limits, pause, remaining } from "./deadline.ts";

const attempts = 3;

/**
 * Sends again only what the error table allows: an answer that never came where repeating does no harm, and a call that was
 * turned away before it was looked at. At most three times in all, and never beyond the deadline.
 */
export function withRetry<T>(
  send: () => Promise<T>,
  limits: Limits,
  repeatable: () => boolean | Promise<boolean>,
): Promise<T> {
  const again = async (error: unknown, n: number): Promise<T> => {
    const wait = n < attempts ? delayAfter(error, n) : undefined;
    if (wait === undefined || wait >= remaining(limits)) throw error;
    if (policyOf(error) === "idempotent" && !(await repeatable())) throw error;
    await pause(wait, limits.signal);
    return send().catch((failure: unknown) => again(failure, n + 1));
  };
  return send().catch((error: unknown) => again(error, 1));
}

function policyOf(error: unknown): "no" | "idempotent" | "after" | "mint" {
  return AgentKeysError.is(error) ? errorTable[error.code].retry : "no";
}

/** Milliseconds until the next attempt; undefined = none. Spread, so that many clients do not come back together. */
function delayAfter(error: unknown, n: number): number | undefined {
  const policy = policyOf(error);
  if (policy === "idempotent") return 50 * 4 ** (n - 1) * (0.5 + Math.random());
  if (policy !== "after") return undefined;
  const after = (error as AgentKeysError).data?.["retry_after"];
  return typeof after === "number" ? after * 1000 : undefined;
}
