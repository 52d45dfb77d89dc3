import { AgentKeysError, type Approval } from "@agentkeys/contract";
import type { ApprovalBridgeOptions } from "./bridge-surface.ts";
import { decideTogether } from "./decide-together.ts";

/** A vote on every approval that names a quorum, for as long as it waits. */
export async function run(
  options: ApprovalBridgeOptions,
  given: AbortSignal | undefined,
): Promise<void> {
  const { operator, log = () => {} } = options;
  const stop = new AbortController();
  const signal = given === undefined ? stop.signal : AbortSignal.any([given, stop.signal]);
  const polls = new Map<string, AbortController>();
  const running = new Set<Promise<void>>();
  const start = (approval: Approval): void => {
    const over = new AbortController();
    polls.set(approval.id, over);
    const fail = (error: unknown): void => {
      const { code, message } = AgentKeysError.from(error);
      if (over.signal.aborted || signal.aborted) return;
      const fields = { approval: approval.id, code, problem: message };
      log({ level: "warn", message: "approval not decided", fields });
    };
    const decided = decideTogether(options, approval, AbortSignal.any([signal, over.signal]));
    const poll: Promise<void> = decided
      .then(() => undefined, fail)
      .finally(() => running.delete(poll));
    running.add(poll);
  };
  try {
    for await (const approval of operator.approvals.watch({ signal })) {
      const { id, status, quorum } = approval;
      if (status !== "pending") {
        polls.get(id)?.abort();
        polls.delete(id);
      } else if (quorum !== undefined && !polls.has(id)) start(approval);
    }
  } finally {
    stop.abort();
    await Promise.all(running);
  }
}
