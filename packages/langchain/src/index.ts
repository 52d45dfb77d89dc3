export { agentKeysTools } from "./agent-keys-tools.ts";
export { guardTools } from "./guard-tools.ts";
export { agentKeysMiddleware } from "./middleware.ts";
export { withAgentKeys, type WithAgentKeysOptions } from "./with-agent-keys.ts";
