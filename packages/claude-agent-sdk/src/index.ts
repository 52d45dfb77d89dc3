export { guardTools } from "./guard-tools.ts";
export { agentKeysHooks } from "./hooks.ts";
export { agentKeysTools } from "./own-tools.ts";
export { withAgentKeys } from "./with-agent-keys.ts";
export type { AgentOptions as WithAgentKeysOptions } from "@agentkeys/core";
