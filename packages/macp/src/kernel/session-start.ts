import {
  type SessionStartPayload,
  SessionStartPayloadSchema,
} from "../generated/macp/v1/core_pb.ts";
import { decodePayload, type Mode } from "../modes/mode.ts";
import type { ModeRegistry, RegisteredMode } from "../modes/mode-registry.ts";
import type { Policy } from "../policy/policy.ts";
import type { PolicyRegistry } from "../policy/policy-registry.ts";
import { defaultMaxSuspendMs, maxTtlMs } from "../protocol/constants.ts";
import { isSessionId } from "../protocol/ids.ts";
import { sessionStartProblem } from "../protocol/session-start.ts";
import type { Envelope } from "./envelope.ts";
import { type Refusal, refuse } from "./refusal.ts";
import { clampInt64, type Session } from "./session.ts";
import type { Bound } from "./store.ts";

/** Semantics of sessions that are started now: a handoff lapses by the acceptance clock. */
const semanticsRev = 1;

/** A session that may be started, and what it is bound to. */
export interface Start {
  readonly ok: true;
  readonly session: Session;
  readonly bound: Bound;
}

interface Registries {
  readonly modes: ModeRegistry;
  readonly policies: PolicyRegistry;
}

/** A session's own answer to a SessionStart that is in order: it was started already. */
export interface Taken {
  readonly ok: true;
  readonly taken: Session;
}

/** In the order of upstream: what is wrong with the message is said before its id's being taken. */
export function judgeStart(
  envelope: Envelope,
  { modes, policies }: Registries,
  { known, atMs }: { known: Session | undefined; atMs: number },
): Refusal | Taken | Start {
  if (envelope.mode.trim() === "") return refuse("InvalidEnvelope");
  if (!isSessionId(envelope.sessionId)) return refuse("InvalidSessionId");
  const registered = modes.get(envelope.mode);
  if (registered === undefined) return refuse("UnknownMode");
  const payload = readStart(envelope.payload);
  if (payload === undefined) return refuse("InvalidPayload");
  const refusal = payloadRefusal(payload, registered);
  if (refusal !== undefined) return refusal;
  if (known !== undefined) return { ok: true, taken: known };
  const policy = policies.resolve(payload.policyVersion);
  if (policy === undefined) return refuse("UnknownPolicyVersion");
  if (policy.mode !== "*" && policy.mode !== envelope.mode) {
    return refuse("InvalidPolicyDefinition");
  }
  const bound = bind(payload, registered, policy);
  const { mode } = registered;
  const session = openSession(envelope, { mode, payload, bound, acceptedAtMs: atMs });
  return "ok" in session ? session : { ok: true, session, bound };
}

function payloadRefusal(
  payload: SessionStartPayload,
  { descriptor, strict }: RegisteredMode,
): Refusal | undefined {
  const problem = fieldsRefusal(payload, strict);
  if (strict && problem !== undefined) return problem;
  const { modeVersion } = payload;
  const other = modeVersion !== "" && modeVersion !== descriptor.modeVersion;
  return other ? refuse("InvalidEnvelope") : problem;
}

function fieldsRefusal(payload: SessionStartPayload, strict: boolean): Refusal | undefined {
  if (payload.ttlMs < 1n || payload.ttlMs > BigInt(maxTtlMs)) return refuse("InvalidTtl");
  return sessionStartProblem(payload, { strict }) && refuse("InvalidPayload");
}

function bind(
  payload: SessionStartPayload,
  { descriptor, rulesOf }: RegisteredMode,
  policy: Policy,
): Bound {
  return {
    mode_version: descriptor.modeVersion,
    policy,
    max_suspend_ms: Number(payload.maxSuspendMs) || defaultMaxSuspendMs,
    semantics_rev: semanticsRev,
    ...(rulesOf === undefined ? { message_types: descriptor.messageTypes } : { rules_of: rulesOf }),
  };
}

export function readStart(bytes: Uint8Array): SessionStartPayload | undefined {
  return bytes.length === 0 ? undefined : decodePayload(SessionStartPayloadSchema, bytes);
}

interface Opening {
  readonly mode: Mode;
  readonly payload: SessionStartPayload;
  readonly bound: Bound;
  readonly acceptedAtMs: number;
}

/** The session before its first message counts, live and in replay. */
export function openSession(
  { sessionId, sender, mode: modeId, timestampUnixMs }: Envelope,
  { mode, payload, bound, acceptedAtMs }: Opening,
): Session | Refusal {
  const terms = {
    initiator: sender,
    participants: payload.participants,
    members: new Set(payload.participants),
    modeVersion: bound.mode_version,
    configurationVersion: payload.configurationVersion,
    policyVersion: bound.policy.policy_id,
    policy: bound.policy,
  };
  const machine = mode.open(terms);
  if ("ok" in machine) return machine;
  // The client's clock starts the deadline where it gives one, so that replay needs no other.
  const startsAt = timestampUnixMs > 0n ? timestampUnixMs : BigInt(acceptedAtMs);
  return {
    id: sessionId,
    mode: modeId,
    terms,
    machine,
    startedAtMs: acceptedAtMs,
    contextId: payload.contextId,
    extensionKeys: Object.keys(payload.extensions).toSorted(),
    maxSuspendMs: bound.max_suspend_ms,
    state: "Open",
    expiresAtMs: clampInt64(startsAt + payload.ttlMs),
    suspendedAtMs: undefined,
    suspendedMs: 0,
    seen: new Set(),
    activity: new Map(),
    ordinal: 0,
    entries: 0,
    resolution: undefined,
    tail: undefined,
  };
}
