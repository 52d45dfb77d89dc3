import type {
  SessionLifecycleEvent,
  SessionLifecycleEvent_EventType,
  SessionMetadata,
} from "../generated/macp/v1/core_pb.ts";
import type { Ack, SessionState as WireState } from "../generated/macp/v1/envelope_pb.ts";

/** By their numbers on the wire; what a newer runtime adds reads as UNSPECIFIED. */
const states = ["UNSPECIFIED", "OPEN", "RESOLVED", "EXPIRED", "SUSPENDED", "CANCELLED"] as const;
const events = [
  "UNSPECIFIED",
  "CREATED",
  "RESOLVED",
  "EXPIRED",
  "SUSPENDED",
  "RESUMED",
  "CANCELLED",
] as const;

export type SessionState = (typeof states)[number];
export type SessionEventType = (typeof events)[number];

/** A message that the runtime took. */
export interface Accepted {
  /** It had taken it before: nothing happened now. */
  readonly duplicate: boolean;
  readonly messageId: string;
  readonly sessionId: string;
  /** Unix milliseconds of the answer. */
  readonly acceptedAtMs: number;
  readonly state: SessionState;
}

export interface ParticipantActivity {
  readonly participant: string;
  /** Unix milliseconds. */
  readonly lastMessageAtMs: number;
  readonly messages: number;
}

export interface SessionInfo {
  readonly sessionId: string;
  readonly mode: string;
  readonly state: SessionState;
  /** Unix milliseconds. */
  readonly startedAtMs: number;
  /** Unix milliseconds. */
  readonly expiresAtMs: number;
  readonly initiator: string;
  readonly participants: readonly string[];
  readonly activity: readonly ParticipantActivity[];
  /** What the session is bound to; `policy` is the id of the policy that was found. */
  readonly versions: {
    readonly mode: string;
    readonly configuration: string;
    readonly policy: string;
  };
  readonly contextId: string;
  /** Names of the extensions that its start carried. */
  readonly extensionKeys: readonly string[];
}

/** What happened to a session. `CREATED` also stands for every session that was there when watching began. */
export interface SessionEvent {
  readonly type: SessionEventType;
  /** As it was after the event. */
  readonly session: SessionInfo;
  /** Unix milliseconds. */
  readonly observedAtMs: number;
}

export function isTerminal(state: SessionState): boolean {
  return state === "RESOLVED" || state === "EXPIRED" || state === "CANCELLED";
}

export function toAccepted(ack: Ack): Accepted {
  return {
    duplicate: ack.duplicate,
    messageId: ack.messageId,
    sessionId: ack.sessionId,
    acceptedAtMs: Number(ack.acceptedAtUnixMs),
    state: stateName(ack.sessionState),
  };
}

export function toSessionInfo(metadata: SessionMetadata): SessionInfo {
  return {
    sessionId: metadata.sessionId,
    mode: metadata.mode,
    state: stateName(metadata.state),
    startedAtMs: Number(metadata.startedAtUnixMs),
    expiresAtMs: Number(metadata.expiresAtUnixMs),
    initiator: metadata.initiator,
    participants: metadata.participants,
    activity: metadata.participantActivity.map((activity) => ({
      participant: activity.participantId,
      lastMessageAtMs: Number(activity.lastMessageAtUnixMs),
      messages: activity.messageCount,
    })),
    versions: {
      mode: metadata.modeVersion,
      configuration: metadata.configurationVersion,
      policy: metadata.policyVersion,
    },
    contextId: metadata.contextId,
    extensionKeys: metadata.extensionKeys,
  };
}

/** Undefined where the event names no session. */
export function toSessionEvent(event: SessionLifecycleEvent): SessionEvent | undefined {
  if (event.session === undefined) return undefined;
  return {
    type: eventName(event.eventType),
    session: toSessionInfo(event.session),
    observedAtMs: Number(event.observedAtUnixMs),
  };
}

const stateName = (state: WireState): SessionState => states[state] ?? "UNSPECIFIED";
const eventName = (type: SessionLifecycleEvent_EventType): SessionEventType =>
  events[type] ?? "UNSPECIFIED";
