/** What every envelope says in `macp_version`. */
export const macpVersion = "1.0";

/** `mode_version` of every built-in mode. */
export const defaultModeVersion = "1.0.0";
export const defaultConfigurationVersion = "config.default";
/** What an empty `policy_version` means. */
export const defaultPolicy = "policy.default";

/** Milliseconds. */
export const maxTtlMs = 86_400_000;
/** Milliseconds. What `max_suspend_ms` 0 means. */
export const defaultMaxSuspendMs = 604_800_000;
export const maxParticipants = 1000;
/** Bytes. */
export const defaultMaxPayloadBytes = 1_048_576;

/** Canonical case: newer runtimes take no other. */
export const recommendations = ["APPROVE", "REVIEW", "BLOCK", "REJECT"] as const;
export const votes = ["APPROVE", "REJECT", "ABSTAIN"] as const;
export const severities = ["critical", "high", "medium", "low"] as const;

export type Recommendation = (typeof recommendations)[number];
export type Vote = (typeof votes)[number];
export type Severity = (typeof severities)[number];
