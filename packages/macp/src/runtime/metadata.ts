import { create } from "@bufbuild/protobuf";
import {
  SessionMetadataSchema,
  type SessionMetadata as WireMetadata,
} from "../generated/macp/v1/core_pb.ts";
import { SessionState as WireState } from "../generated/macp/v1/envelope_pb.ts";
import type { SessionMetadata, SessionState } from "../kernel/session.ts";

const states = {
  Open: WireState.OPEN,
  Resolved: WireState.RESOLVED,
  Expired: WireState.EXPIRED,
  Suspended: WireState.SUSPENDED,
  Cancelled: WireState.CANCELLED,
} as const satisfies Readonly<Record<SessionState, WireState>>;

export function toSessionState(state: SessionState): WireState {
  return states[state];
}

export function toWireMetadata(session: SessionMetadata): WireMetadata {
  return create(SessionMetadataSchema, {
    sessionId: session.sessionId,
    mode: session.mode,
    state: states[session.state],
    startedAtUnixMs: BigInt(session.startedAtMs),
    expiresAtUnixMs: session.expiresAtMs,
    modeVersion: session.modeVersion,
    configurationVersion: session.configurationVersion,
    policyVersion: session.policyVersion,
    participants: [...session.participants],
    participantActivity: session.participantActivity.map((activity) => ({
      participantId: activity.participantId,
      lastMessageAtUnixMs: BigInt(activity.lastMessageAtMs),
      messageCount: activity.messageCount,
    })),
    initiator: session.initiator,
    contextId: session.contextId,
    extensionKeys: [...session.extensionKeys],
  });
}
