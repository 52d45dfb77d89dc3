import { AgentKeysError, type Operator } from "@agentkeys/core";

/** Somebody else was quicker, or nobody waits any more. */
const settled = new Set(["already_decided", "approval_expired", "not_found"]);

/**
 * A person who answers whatever is asked alike, what waits already included, until the result is disposed. What went wrong
 * meanwhile is thrown then.
 */
export function answerAll(
  operator: Operator,
  verb: "approve" | "deny",
  reason: string,
): AsyncDisposable {
  const stop = new AbortController();
  const answer = async (): Promise<void> => {
    for await (const approval of operator.approvals.watch({ signal: stop.signal })) {
      if (approval.status !== "pending") continue;
      await operator.approvals[verb](approval, { reason }).catch((error: unknown) => {
        if (!AgentKeysError.is(error) || !settled.has(error.code)) throw error;
      });
    }
  };
  const done = answer().catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });
  // Heard where it is disposed.
  done.catch(() => {});
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await done;
    },
  };
}
