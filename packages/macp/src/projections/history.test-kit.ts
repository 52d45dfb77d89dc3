import type { Envelope } from "../generated/macp/v1/envelope_pb.ts";
import { toCommitment } from "../protocol/commitment.ts";
import { toEnvelope } from "../protocol/envelope.ts";
import {
  type MessageType,
  modeTable,
  type ModeKey,
  type PayloadInit,
} from "../protocol/mode-table.ts";
import { encodeCorePayload, encodePayload } from "../protocol/payload.ts";
import { toSessionStart } from "../protocol/session-start.ts";

/** Accepted messages of one session of that mode, as a runtime would send them. */
export function historyOf<K extends ModeKey>(key: K) {
  const { mode } = modeTable[key];
  const sessionId = "0190a0a0-0000-7000-8000-000000000001";
  const message = (sender: string, messageType: string, payload: Uint8Array): Envelope =>
    toEnvelope({ mode, sessionId, sender, messageType, payload });
  return {
    start: (initiator: string, participants: readonly string[]) =>
      message(
        initiator,
        "SessionStart",
        encodeCorePayload("SessionStart", toSessionStart({ participants, ttlMs: 60_000 })),
      ),
    say: <T extends MessageType<K>>(sender: string, type: T, payload: PayloadInit<K, T>) =>
      message(sender, type, encodePayload(key, type, payload)),
    commit: (sender: string, action: string) =>
      message(
        sender,
        "Commitment",
        encodePayload(
          "decision",
          "Commitment",
          toCommitment({ action, authorityScope: "test", reason: "test" }),
        ),
      ),
    raw: message,
  };
}
