import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import {
  EvaluationPayloadSchema,
  ObjectionPayloadSchema,
  ProposalPayloadSchema as DecisionProposalPayloadSchema,
  VotePayloadSchema,
} from "../generated/macp/modes/decision/v1/decision_pb.ts";
import {
  HandoffAcceptPayloadSchema,
  HandoffContextPayloadSchema,
  HandoffDeclinePayloadSchema,
  HandoffOfferPayloadSchema,
} from "../generated/macp/modes/handoff/v1/handoff_pb.ts";
import { ContributePayloadSchema } from "../generated/macp/modes/multi_round/v1/multi_round_pb.ts";
import {
  AcceptPayloadSchema,
  CounterProposalPayloadSchema,
  ProposalPayloadSchema,
  RejectPayloadSchema,
  WithdrawPayloadSchema,
} from "../generated/macp/modes/proposal/v1/proposal_pb.ts";
import {
  AbstainPayloadSchema,
  ApprovalRequestPayloadSchema,
  ApprovePayloadSchema,
  RejectPayloadSchema as QuorumRejectPayloadSchema,
} from "../generated/macp/modes/quorum/v1/quorum_pb.ts";
import {
  TaskAcceptPayloadSchema,
  TaskCompletePayloadSchema,
  TaskFailPayloadSchema,
  TaskRejectPayloadSchema,
  TaskRequestPayloadSchema,
  TaskUpdatePayloadSchema,
} from "../generated/macp/modes/task/v1/task_pb.ts";
import { CommitmentPayloadSchema } from "../generated/macp/v1/core_pb.ts";
import { defaultModeVersion } from "./constants.ts";

interface ModeRow {
  /** The id on the wire. */
  readonly mode: string;
  readonly modeVersion: string;
  readonly title: string;
  readonly description: string;
  readonly determinismClass: string;
  readonly participantModel: string;
  /** Standard modes are what ListModes lists; the others are extensions. */
  readonly standard: boolean;
  /** Message type to payload. SessionStart, which every mode has, is not among them. */
  readonly payloads: Readonly<Record<string, DescMessage>>;
}

/** The message type that resolves a session, in every mode. */
export const terminalMessageType = "Commitment";

/** Modes by the names that programs use for them. */
export const modeTable = {
  decision: {
    mode: "macp.mode.decision.v1",
    modeVersion: defaultModeVersion,
    title: "Decision Mode",
    description: "Proposals are evaluated, objected to and voted on; one commitment ends it.",
    determinismClass: "semantic-deterministic",
    participantModel: "declared",
    standard: true,
    payloads: {
      Proposal: DecisionProposalPayloadSchema,
      Evaluation: EvaluationPayloadSchema,
      Objection: ObjectionPayloadSchema,
      Vote: VotePayloadSchema,
      Commitment: CommitmentPayloadSchema,
    },
  },
  proposal: {
    mode: "macp.mode.proposal.v1",
    modeVersion: defaultModeVersion,
    title: "Proposal Mode",
    description: "Peers negotiate by proposals and counter-proposals until they agree or give up.",
    determinismClass: "semantic-deterministic",
    participantModel: "peer",
    standard: true,
    payloads: {
      Proposal: ProposalPayloadSchema,
      CounterProposal: CounterProposalPayloadSchema,
      Accept: AcceptPayloadSchema,
      Reject: RejectPayloadSchema,
      Withdraw: WithdrawPayloadSchema,
      Commitment: CommitmentPayloadSchema,
    },
  },
  task: {
    mode: "macp.mode.task.v1",
    modeVersion: defaultModeVersion,
    title: "Task Mode",
    description: "The initiator asks for one task; an assignee accepts it and reports its end.",
    determinismClass: "structural-only",
    participantModel: "orchestrated",
    standard: true,
    payloads: {
      TaskRequest: TaskRequestPayloadSchema,
      TaskAccept: TaskAcceptPayloadSchema,
      TaskReject: TaskRejectPayloadSchema,
      TaskUpdate: TaskUpdatePayloadSchema,
      TaskComplete: TaskCompletePayloadSchema,
      TaskFail: TaskFailPayloadSchema,
      Commitment: CommitmentPayloadSchema,
    },
  },
  handoff: {
    mode: "macp.mode.handoff.v1",
    modeVersion: defaultModeVersion,
    title: "Handoff Mode",
    description: "The initiator offers its responsibility to a participant, with context.",
    determinismClass: "context-frozen",
    participantModel: "delegated",
    standard: true,
    payloads: {
      HandoffOffer: HandoffOfferPayloadSchema,
      HandoffContext: HandoffContextPayloadSchema,
      HandoffAccept: HandoffAcceptPayloadSchema,
      HandoffDecline: HandoffDeclinePayloadSchema,
      Commitment: CommitmentPayloadSchema,
    },
  },
  quorum: {
    mode: "macp.mode.quorum.v1",
    modeVersion: defaultModeVersion,
    title: "Quorum Mode",
    description: "Participants approve, reject or abstain from one request, up to a threshold.",
    determinismClass: "semantic-deterministic",
    participantModel: "quorum",
    standard: true,
    payloads: {
      ApprovalRequest: ApprovalRequestPayloadSchema,
      Approve: ApprovePayloadSchema,
      Reject: QuorumRejectPayloadSchema,
      Abstain: AbstainPayloadSchema,
      Commitment: CommitmentPayloadSchema,
    },
  },
  multiRound: {
    mode: "ext.multi_round.v1",
    modeVersion: defaultModeVersion,
    title: "Multi-Round Mode",
    description: "Participants contribute values, round after round, until all are equal.",
    determinismClass: "semantic-deterministic",
    participantModel: "peer",
    standard: false,
    payloads: {
      Contribute: ContributePayloadSchema,
      Commitment: CommitmentPayloadSchema,
    },
  },
} as const satisfies Readonly<Record<string, ModeRow>>;

export type ModeKey = keyof typeof modeTable;
type Payloads<K extends ModeKey> = (typeof modeTable)[K]["payloads"];
/** Message types of a mode, SessionStart left out. */
export type MessageType<K extends ModeKey> = keyof Payloads<K> & string;
type SchemaOf<K extends ModeKey, T extends MessageType<K>> = Payloads<K>[T] & DescMessage;
/** A payload as it is decoded. */
export type Payload<K extends ModeKey, T extends MessageType<K>> = MessageShape<SchemaOf<K, T>>;
/** A payload as it is written: every field may be left out. */
export type PayloadInit<K extends ModeKey, T extends MessageType<K>> = MessageInitShape<
  SchemaOf<K, T>
>;

export const modeKeys = Object.keys(modeTable) as readonly ModeKey[];
const byId = new Map<string, ModeKey>(modeKeys.map((key) => [modeTable[key].mode, key]));

/** The row's key for a mode id of the wire; undefined for modes that are registered at run time. */
export function modeKeyOf(mode: string): ModeKey | undefined {
  return byId.get(mode);
}

/** Schema of a message's payload; undefined where the mode is unknown or has no such message. */
export function payloadSchema(mode: string, messageType: string): DescMessage | undefined {
  const key = byId.get(mode);
  if (key === undefined) return undefined;
  const payloads: Readonly<Record<string, DescMessage>> = modeTable[key].payloads;
  return Object.hasOwn(payloads, messageType) ? payloads[messageType] : undefined;
}
