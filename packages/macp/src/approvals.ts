export { createApprovalBridge } from "./approvals/bridge.ts";
export type {
  ApprovalBridge,
  ApprovalBridgeOptions,
  JointDecision,
  Poll,
} from "./approvals/bridge-surface.ts";
export type { ApprovalOperator, Grounds } from "./approvals/operator.ts";
export type { Choice, Tally } from "./approvals/tally.ts";
export type { VoteMode } from "./approvals/vote.ts";
