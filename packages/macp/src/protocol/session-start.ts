import { create } from "@bufbuild/protobuf";
import {
  type SessionStartPayload,
  SessionStartPayloadSchema,
} from "../generated/macp/v1/core_pb.ts";
import {
  defaultConfigurationVersion,
  defaultModeVersion,
  maxParticipants,
  maxTtlMs,
} from "./constants.ts";
import type { Problem } from "./ids.ts";

export interface SessionStartInit {
  participants: readonly string[];
  /** Milliseconds until the session expires: 1 to 86,400,000 (a day). */
  ttlMs: number;
  /** May be empty. */
  intent?: string;
  /** Id of a registered policy. Default: the runtime's own. */
  policy?: string;
  /** Most milliseconds that the session may be suspended in all. Default: the runtime's, a week. */
  maxSuspendMs?: number;
  /** What the session works on: URIs with names. */
  roots?: readonly { uri: string; name?: string }[];
  /** Facts for the participants: an id of a shared context, and bytes that the runtime keeps as they are. */
  context?: { id?: string; extensions?: Readonly<Record<string, Uint8Array>> };
  /** Default: 1.0.0 and config.default. */
  versions?: { mode?: string; configuration?: string };
}

export function toSessionStart(init: SessionStartInit): SessionStartPayload {
  const { versions = {}, context = {} } = init;
  return create(SessionStartPayloadSchema, {
    intent: init.intent ?? "",
    participants: [...init.participants],
    modeVersion: versions.mode ?? defaultModeVersion,
    configurationVersion: versions.configuration ?? defaultConfigurationVersion,
    policyVersion: init.policy ?? "",
    ttlMs: toInt64(init.ttlMs),
    maxSuspendMs: toInt64(init.maxSuspendMs ?? 0),
    roots: (init.roots ?? []).map(({ uri, name = "" }) => ({ uri, name })),
    contextId: context.id ?? "",
    extensions: { ...context.extensions },
  });
}

/**
 * What a runtime refuses in a SessionStart whatever its mode; undefined where nothing. A runtime-registered
 * mode may leave `participants` and the versions empty; those are checked where `strict`.
 */
export function sessionStartProblem(
  payload: SessionStartPayload,
  { strict = true }: { strict?: boolean } = {},
): Problem | undefined {
  if (payload.ttlMs < 1n || payload.ttlMs > BigInt(maxTtlMs)) {
    return invalid(`ttl: ${payload.ttlMs} ms, expected 1 to ${maxTtlMs}`);
  }
  if (payload.maxSuspendMs < 0n) return invalid("max suspend: negative");
  if (strict && payload.modeVersion.trim() === "") return invalid("mode version: blank");
  if (strict && payload.configurationVersion.trim() === "") {
    return invalid("configuration version: blank");
  }
  if (strict && payload.participants.length === 0) return invalid("participants: none");
  return participantsProblem(payload.participants);
}

/** At most 1000, none blank, none twice (surrounding white space does not tell two apart). */
function participantsProblem(participants: readonly string[]): Problem | undefined {
  if (participants.length > maxParticipants) {
    return invalid(`participants: ${participants.length}, at most ${maxParticipants}`);
  }
  const seen = new Set<string>();
  for (const participant of participants) {
    const name = participant.trim();
    if (name === "") return invalid("participants: one is blank");
    if (seen.has(name)) return invalid(`participants: ${name} is there twice`);
    seen.add(name);
  }
  return undefined;
}

/** A fraction of a millisecond, NaN and what int64 cannot hold become -1, which is refused wherever it stands. */
function toInt64(ms: number): bigint {
  return Number.isSafeInteger(ms) ? BigInt(ms) : -1n;
}

const invalid = (message: string): Problem => ({ code: "INVALID_ENVELOPE", message });
