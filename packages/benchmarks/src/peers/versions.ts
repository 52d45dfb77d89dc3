/**
 * What is installed apart, into a temporary folder, when peers are measured: never in the lockfile, never for `test`. Frameworks
 * are the workspace's own; what pins another patch version of one is run with ours.
 */
export const versions = {
  "policy-opa": { "@ai-sdk/policy-opa": "1.0.112", "@open-policy-agent/opa": "1.7.11" },
  agt: { "@microsoft/agent-governance-sdk": "4.0.0" },
  "code mode": { "@ai-sdk/code-mode": "1.0.42" },
} as const satisfies Record<string, Record<string, string>>;

export type Apart = keyof typeof versions;
