import type { Policy } from "../policy/policy.ts";

/** What a session was started under. It never changes. */
export interface SessionTerms {
  readonly initiator: string;
  /** As they were sent, in their order. */
  readonly participants: readonly string[];
  /** The same as a set. */
  readonly members: ReadonlySet<string>;
  readonly modeVersion: string;
  readonly configurationVersion: string;
  /** The resolved id. */
  readonly policyVersion: string;
  readonly policy: Policy;
}
