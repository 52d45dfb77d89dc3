export { brandGuarded, brandOwn, isGuardedBy, isOwn } from "./brand.ts";
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
export { deniedError } from "./decision.ts";
export { createGuard } from "./guard.ts";
export type {
  Allowed,
  Classify,
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
  WrapOptions,
} from "./guard-surface.ts";
export {
  createOperator,
  type Operator,
  type OperatorOptions,
  type Revocation,
  type RevokeOptions,
} from "./operator.ts";
export { type OwnTool, ownRow, ownTools } from "./own-tools.ts";
export {
  AgentKeysError,
  type AgentKeysErrorOptions,
  type ErrorCode,
  errorTable,
  isErrorCode,
  type ToolSource,
} from "@agentkeys/contract";
