import { AgentKeysError, errorTable } from "@agentkeys/contract";
import { type Limits, pause, remaining } from "./deadline.ts";

const attempts = 3;

type Repeatable = () => boolean | Promise<boolean>;

/**
 * Sends again only what the error table allows: an answer that never came where repeating does no harm, and a call that was
 * turned away before it was looked at. At most three times in all, and never beyond the deadline.
 */
export async function withRetry<T>(
  send: () => Promise<T>,
  limits: Limits,
  repeatable: Repeatable,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await send();
    } catch (error) {
      await beforeRetry(error, attempt, { limits, repeatable });
    }
  }
}

/** After an attempt that failed: resolves when the call may be sent again, rejects with the error where it may not. */
export async function beforeRetry(
  error: unknown,
  attempt: number,
  { limits, repeatable }: { limits: Limits; repeatable: Repeatable },
): Promise<void> {
  const wait = attempt < attempts ? delayAfter(error, attempt) : undefined;
  if (wait === undefined || wait >= remaining(limits)) throw error;
  if (policyOf(error) === "idempotent" && !(await repeatable())) throw error;
  await pause(wait, limits.signal);
}

function policyOf(error: unknown): "no" | "idempotent" | "after" | "mint" {
  return AgentKeysError.is(error) ? errorTable[error.code].retry : "no";
}

/** Milliseconds until the next attempt; undefined = none. Spread, so that many clients do not come back together. */
function delayAfter(error: unknown, attempt: number): number | undefined {
  const policy = policyOf(error);
  if (policy === "idempotent") return 50 * 4 ** (attempt - 1) * (0.5 + Math.random());
  if (policy !== "after") return undefined;
  const after = (error as AgentKeysError).data?.["retry_after"];
  return typeof after === "number" ? after * 1000 : undefined;
}
