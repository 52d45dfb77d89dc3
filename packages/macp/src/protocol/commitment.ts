import { create } from "@bufbuild/protobuf";
import { type CommitmentPayload, CommitmentPayloadSchema } from "../generated/macp/v1/core_pb.ts";
import { isCommitmentHash } from "./commitment-hash.ts";
import { defaultConfigurationVersion, defaultModeVersion } from "./constants.ts";
import { newCommitmentId, type Problem } from "./ids.ts";

export interface CommitmentInit {
  /** What was decided, as a dotted word. Its end binds the outcome: see `outcomeOf`. */
  action: string;
  authorityScope: string;
  reason: string;
  /** Default: what the action's end says, else true. */
  outcomePositive?: boolean;
  /** Default: a new UUID. */
  commitmentId?: string;
  /** The earlier commitment that this one replaces. */
  supersedes?: { sessionId: string; commitmentHash: string };
  /** What the session is bound to. Default: 1.0.0, config.default, and whatever policy it has. */
  versions?: { mode?: string; configuration?: string; policy?: string };
}

export function toCommitment(init: CommitmentInit): CommitmentPayload {
  const { versions = {}, supersedes } = init;
  return create(CommitmentPayloadSchema, {
    commitmentId: init.commitmentId ?? newCommitmentId(),
    action: init.action,
    authorityScope: init.authorityScope,
    reason: init.reason,
    modeVersion: versions.mode ?? defaultModeVersion,
    configurationVersion: versions.configuration ?? defaultConfigurationVersion,
    policyVersion: versions.policy ?? "",
    outcomePositive: init.outcomePositive ?? outcomeOf(init.action) ?? true,
    ...(supersedes === undefined ? {} : { supersedes }),
  });
}

/** Whether an action of this name is a positive outcome; undefined where the name does not say. */
export function outcomeOf(action: string): boolean | undefined {
  if (/(selected|accepted|completed|approved)$/.test(action)) return true;
  return /(rejected|failed|declined)$/.test(action) ? false : undefined;
}

/** What a runtime would refuse in the payload alone, whatever the session; undefined where nothing. */
export function commitmentProblem(payload: CommitmentPayload): Problem | undefined {
  const { supersedes } = payload;
  for (const field of ["commitmentId", "action", "authorityScope", "reason"] as const) {
    if (payload[field].trim() === "") return invalid(`commitment: ${field} is blank`);
  }
  const outcome = outcomeOf(payload.action);
  if (outcome !== undefined && outcome !== payload.outcomePositive) {
    return invalid(
      `commitment: ${payload.action} is no ${outcome ? "negative" : "positive"} outcome`,
    );
  }
  if (supersedes === undefined) return undefined;
  if (supersedes.sessionId === "") return invalid("commitment: supersedes names no session");
  return isCommitmentHash(supersedes.commitmentHash)
    ? undefined
    : invalid("commitment: supersedes.commitmentHash is no sha256:<64 hex digits>");
}

const invalid = (message: string): Problem => ({ code: "INVALID_ENVELOPE", message });
