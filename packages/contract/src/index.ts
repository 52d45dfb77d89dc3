export {
  type Approval,
  type ApprovalDecision,
  approvalDigest,
  type ApprovalRule,
  type ApprovalStatus,
  type Quorum,
  type Remember,
  textDigest,
  threadOf,
} from "./approval.ts";
export { bytesToHex0x, concatBytes, hexToBytes, sha256 } from "./bytes.ts";
export { keccak256 } from "./keccak.ts";
export {
  capHash,
  capOps,
  capPayloadJson,
  CapPayload,
  capPrehash,
  CapToken,
  clampTtl,
  debugName,
  verifyCap,
} from "./cap.ts";
export { type CborValue, decodeCanonical, encodeCanonical, type EncodeOptions } from "./cbor.ts";
export { hmacDigest, inputDigest } from "./digest.ts";
export {
  type Direct,
  direct,
  type DirectAnswer,
  type DirectCall,
  type DirectRequest,
  type DirectResult,
} from "./direct.ts";
export {
  type AuditEnvelope,
  decodeEnvelope,
  encodeEnvelope,
  envelopeHash,
  hexFieldProblem,
  intentCommitment,
} from "./envelope.ts";
export {
  AgentKeysError,
  type AgentKeysErrorOptions,
  type ErrorCode,
  errorTable,
  fromJsonRpcError,
  isErrorCode,
} from "./errors.ts";
export {
  JsonFloat,
  type JsonObject,
  type JsonValue,
  parseJson,
  stringifyJson,
  stringifySorted,
  toJsonValue,
  type WireObject,
  type WireValue,
} from "./json.ts";
export { merkleNode, merkleRoot, opKindBitmap, type V1Event, v1Leaf } from "./merkle.ts";
export {
  addressOf,
  agentPopPayload,
  type CapPop,
  capPopPayload,
  childOmni,
  type Delegation,
  delegationPayload,
  deviceKeyHash,
  hex32Problem,
  omni,
  recoverEip191,
  serviceHash,
  signEip191,
} from "./omni.ts";
export { isReservedOpKind, type OpKind, opKindName, opKinds, RESULTS } from "./op-kinds.ts";
export { openApi } from "./openapi.ts";
export { reveal, type RevealOptions } from "./reveal.ts";
export { createSecrets, type Secrets } from "./secrets.ts";
export { type ListedTool, toolList } from "./tool-list.ts";
export {
  defineTool,
  type JsonSchema,
  modelInput,
  type OperationScope,
  type Status,
  type Surface,
  toJsonSchema,
  type ToolInput,
  type ToolOutput,
  type ToolRow,
  type ToolSource,
} from "./tool.ts";
export { modelPrefix, modelTools, type ToolKey, toolKey, type Tools, tools } from "./tools.ts";
