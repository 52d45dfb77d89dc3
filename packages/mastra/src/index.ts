export { agentKeysHooks } from "./hooks.ts";
export { agentKeysTools } from "./own-tools.ts";
export { guardTools } from "./guard-tools.ts";
export { withAgentKeys, type WithAgentKeysOptions } from "./with-agent-keys.ts";
