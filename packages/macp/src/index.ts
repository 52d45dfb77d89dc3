export { createMacpClient, type MacpClient } from "./client/client.ts";
export type {
  ClientOptions,
  ClientSettings,
  PageOptions,
  ProgressInit,
  RuntimeDescription,
  SessionPage,
  SignalInit,
} from "./client/client-surface.ts";
export type { Log, LogEntry } from "./client/log.ts";
export type { MessageStream, StreamEvent } from "./client/message-stream.ts";
export type { PolicyDefinition, PolicyInfo } from "./client/policy-info.ts";
export { isRetryable, type RetryOptions } from "./client/retry.ts";
export {
  type Accepted,
  isTerminal,
  type ParticipantActivity,
  type SessionEvent,
  type SessionEventType,
  type SessionInfo,
  type SessionState,
} from "./client/session-info.ts";
export type { CallOptions, LocalRuntime, SessionStream, Transport } from "./client/transport.ts";
export type {
  AmbientEvent,
  ChangeEvent,
  GapEvent,
  ProgressEvent,
  SignalEvent,
} from "./client/watch-events.ts";
export type { WatchOptions } from "./client/watchers.ts";
export type { CommitmentPayload } from "./generated/macp/v1/core_pb.ts";
export type { Envelope } from "./generated/macp/v1/envelope_pb.ts";
export {
  type CommitmentPolicy,
  type DecisionPolicy,
  decisionPolicy,
  type HandoffPolicy,
  handoffPolicy,
  type PolicyOptions,
  type ProposalPolicy,
  proposalPolicy,
  type QuorumPolicy,
  quorumPolicy,
  type TaskPolicy,
  taskPolicy,
} from "./policy/policy-builders.ts";
export {
  createDecisionProjection,
  type DecisionProjection,
  type DecisionProposal,
  type DecisionState,
  type Evaluation,
  type Objection,
  type VoteTotal,
} from "./projections/decision.ts";
export {
  createHandoffProjection,
  type Handoff,
  type HandoffProjection,
  type HandoffState,
} from "./projections/handoff.ts";
export type { AnomalyKind, SessionFacts } from "./projections/mode-reducer.ts";
export {
  type Contribution,
  createMultiRoundProjection,
  type MultiRoundProjection,
  type MultiRoundState,
} from "./projections/multi-round.ts";
export { type Anomaly, type Applied, type Projection, replay } from "./projections/projection.ts";
export {
  type AcceptanceCriterion,
  createProposalProjection,
  type NegotiatedProposal,
  type ProposalProjection,
  type ProposalState,
} from "./projections/proposal.ts";
export {
  type ApprovalRequest,
  type Ballot,
  createQuorumProjection,
  type QuorumProjection,
  type QuorumState,
} from "./projections/quorum.ts";
export {
  createTaskProjection,
  type Task,
  type TaskProjection,
  type TaskState,
} from "./projections/task.ts";
export { type Auth, bearer, type BearerOptions, devAgent } from "./protocol/auth.ts";
export { commitmentHash, isCommitmentHash } from "./protocol/commitment-hash.ts";
export { type CommitmentInit, outcomeOf, toCommitment } from "./protocol/commitment.ts";
export {
  defaultPolicy,
  macpVersion,
  type Recommendation,
  type Severity,
  type Vote,
} from "./protocol/constants.ts";
export { type EnvelopeInit, toEnvelope } from "./protocol/envelope.ts";
export type { GrpcStatus, MacpErrorCode } from "./protocol/error-codes.ts";
export { isSessionId, newCommitmentId, newMessageId, newSessionId } from "./protocol/ids.ts";
export {
  type MessageType,
  type ModeKey,
  modeTable,
  type Payload,
  type PayloadInit,
} from "./protocol/mode-table.ts";
export {
  decodeCorePayload,
  decodeMessage,
  decodePayload,
  encodeCorePayload,
  encodePayload,
} from "./protocol/payload.ts";
export { type Denial, type Refusal, refusalOf, statusOf } from "./protocol/refusal.ts";
export {
  sessionStartProblem,
  type SessionStartInit,
  toSessionStart,
} from "./protocol/session-start.ts";
export type { DecisionSession } from "./sessions/decision.ts";
export type { Ending } from "./sessions/endings.ts";
export type { HandoffSession } from "./sessions/handoff.ts";
export type { JoinOptions, SessionMode, StartOptions } from "./sessions/mode-session.ts";
export type { MultiRoundSession } from "./sessions/multi-round.ts";
export type { ProposalSession } from "./sessions/proposal.ts";
export type { QuorumSession } from "./sessions/quorum.ts";
export type { AnySession, SessionModes } from "./sessions/session-modes.ts";
export type {
  CommitOptions,
  MessagesOptions,
  SendOptions,
  Session,
} from "./sessions/session-surface.ts";
export type { TaskSession } from "./sessions/task.ts";
export { toConfidence, toRecommendation, toSeverity, toVote } from "./sessions/words.ts";
export { coordinationTools } from "./tools/coordination-tools.ts";
