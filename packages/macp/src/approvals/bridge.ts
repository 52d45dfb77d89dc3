import type { ApprovalBridge, ApprovalBridgeOptions } from "./bridge-surface.ts";
import { decideTogether } from "./decide-together.ts";
import { run } from "./run.ts";

/**
 * Where the authority's policy names a quorum, its votes decide: the bridge opens a session for each approval, counts the ballots
 * of the named approvers itself, and quotes session and commitment to the authority. No commitment but its own ends a vote.
 */
export function createApprovalBridge(options: ApprovalBridgeOptions): ApprovalBridge {
  const decide: ApprovalBridge["decide"] = (approval, { signal } = {}) =>
    decideTogether(options, approval, signal);
  return { decide, run: ({ signal } = {}) => run(options, signal) };
}
