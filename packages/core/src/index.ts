export {
  type AgentOptions,
  copyWith,
  type DeniedOutput,
  deniedOutput,
  isDeniedOutput,
} from "./agent-options.ts";
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
} from "./approval-surface.ts";
export { brandGuarded, brandOwn, isGuarded, isGuardedBy, isOwn } from "./brand.ts";
export { createClient } from "./client.ts";
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
} from "./client-surface.ts";
export { assertCovered, registerInspector } from "./coverage.ts";
export type { Coverage, CoveredTool, How, Reach } from "./coverage-surface.ts";
export type { Inspector } from "./inspector.ts";
export {
  type CallStorage,
  currentCall,
  type CurrentCall,
  provideCallStorage,
} from "./current-call.ts";
export { deniedError } from "./decision.ts";
export { createGuard } from "./guard.ts";
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
  WrapOptions,
} from "./guard-surface.ts";
export { createOperator, type Operator, type Revocation, type RevokeOptions } from "./operator.ts";
export type { OperatorOptions } from "./operator-door.ts";
export { type OwnTool, ownRow, ownTools } from "./own-tools.ts";
export { type ToolDefinition, toolFingerprint } from "./tool-fingerprint.ts";
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
