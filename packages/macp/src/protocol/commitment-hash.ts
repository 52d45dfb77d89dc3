import { bytesToHex0x, sha256, stringifySorted } from "@agentkeys/contract";
import type { CommitmentPayload } from "../generated/macp/v1/core_pb.ts";

const label = "macp-commitment-hash/1";
const canonicalHash = /^sha256:[0-9a-f]{64}$/;

/**
 * What a later commitment names this one by: `sha256:` and 64 hex digits over the label and the payload
 * as canonical JSON (RFC 8785; only strings and one boolean occur, so sorted keys are all of it). It is
 * unkeyed: it tells commitments apart, it proves nothing about who made one.
 */
export function commitmentHash(payload: CommitmentPayload): string {
  const { supersedes } = payload;
  const projection = {
    commitment_id: payload.commitmentId,
    action: payload.action,
    authority_scope: payload.authorityScope,
    reason: payload.reason,
    mode_version: payload.modeVersion,
    policy_version: payload.policyVersion,
    configuration_version: payload.configurationVersion,
    outcome_positive: payload.outcomePositive,
    ...(supersedes === undefined
      ? {}
      : {
          supersedes: {
            session_id: supersedes.sessionId,
            commitment_hash: supersedes.commitmentHash,
          },
        }),
  };
  const bytes = new TextEncoder().encode(`${label}:${stringifySorted(projection)}`);
  return `sha256:${bytesToHex0x(sha256(bytes)).slice(2)}`;
}

export function isCommitmentHash(text: string): boolean {
  return canonicalHash.test(text);
}
