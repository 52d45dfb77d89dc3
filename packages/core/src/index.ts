export {
  type AgentOptions,
  copyWith,
  type DeniedOutput,
  deniedOutput,
  isDeniedOutput,
} from "./coverage/agent-options.ts";
export type {
  ApprovalFilter,
  ApproveOptions,
  ClientApprovals,
  Decided,
  DenyOptions,
  Limited,
  OperatorApprovals,
  OperatorFilter,
  OperatorRules,
  WatchOptions,
} from "./approvals/approval-surface.ts";
export { brandGuarded, brandOwn, isGuarded, isGuardedBy, isOwn } from "./guard/brand.ts";
export { createClient } from "./client/client.ts";
export type {
  CallOptions,
  Client,
  ClientOptions,
  Fetch,
  Method,
  Operations,
  Session,
  SessionOptions,
  WhoamiMethod,
} from "./client/client-surface.ts";
export { assertCovered, registerInspector } from "./coverage/coverage.ts";
export type { Coverage, CoveredTool, How, Reach } from "./coverage/coverage-surface.ts";
export type { Inspector } from "./coverage/inspector.ts";
export {
  type CallStorage,
  currentCall,
  type CurrentCall,
  provideCallStorage,
} from "./guard/current-call.ts";
export { deniedError } from "./guard/decision.ts";
export { createGuard } from "./guard/guard.ts";
export type {
  Allowed,
  ApprovalOptions,
  ApprovalRef,
  AskOptions,
  Classify,
  DecideOptions,
  Definition,
  Denial,
  Guard,
  GuardCall,
  Guarded,
  GuardOf,
  GuardOptions,
  GuardRow,
  JsonObject,
  Open,
  Outcome,
  OwnToolsOptions,
  Ran,
  RunContext,
  RunOptions,
  Settled,
  TypedGuard,
  WrapOptions,
} from "./guard/guard-surface.ts";
export {
  createOperator,
  type Operator,
  type Revocation,
  type RevokeOptions,
} from "./operator/operator.ts";
export type { OperatorOptions } from "./operator/operator-door.ts";
export { type OwnTool, ownRow, ownTools } from "./guard/own-tools.ts";
export { type ToolDefinition, toolFingerprint } from "./guard/tool-fingerprint.ts";
export {
  AgentKeysError,
  type AgentKeysErrorOptions,
  type Approval,
  type ApprovalDecision,
  type ApprovalRule,
  type ApprovalStatus,
  type ErrorCode,
  errorTable,
  isErrorCode,
  type ToolSource,
} from "@agentkeys/contract";
