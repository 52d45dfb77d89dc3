export { agentKeysTools } from "./own-tools.ts";
export { guardAgent, guardTools } from "./governed.ts";
export { withAgentKeys } from "./with-agent-keys.ts";
export type { AgentOptions as WithAgentKeysOptions } from "@agentkeys/core";
