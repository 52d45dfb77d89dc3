export { agentKeysTools } from "./agent-keys-tools.ts";
export { guardTools } from "./guard-tools.ts";
export { agentKeysMiddleware } from "./middleware.ts";
export type { ApprovalInterrupt } from "./under-guard.ts";
export { withAgentKeys } from "./with-agent-keys.ts";
export type { AgentOptions as WithAgentKeysOptions } from "@agentkeys/core";
