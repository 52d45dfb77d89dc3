export { agentKeysApproval, type Approval, type ApprovalRequest } from "./approval.ts";
export { guardTools } from "./guard-tools.ts";
export { agentKeysTools } from "./own-tools.ts";
export { withAgentKeys } from "./with-agent-keys.ts";
export type { AgentOptions as WithAgentKeysOptions } from "@agentkeys/core";
