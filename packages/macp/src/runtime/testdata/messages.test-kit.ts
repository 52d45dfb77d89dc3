import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { RuntimeCalls } from "../../client/transport.ts";
import {
  SendRequestSchema,
  StreamSessionRequestSchema,
  type SessionStartPayloadSchema,
} from "../../generated/macp/v1/core_pb.ts";
import type { Ack, Envelope } from "../../generated/macp/v1/envelope_pb.ts";
import { devAgent } from "../../protocol/auth.ts";
import { toCommitment, type CommitmentInit } from "../../protocol/commitment.ts";
import { toEnvelope, type EnvelopeInit } from "../../protocol/envelope.ts";
import { newSessionId } from "../../protocol/ids.ts";
import { modeTable, type MessageType, type ModeKey, type PayloadInit } from "../../protocol/mode-table.ts";
import { encodeCorePayload, encodePayload } from "../../protocol/payload.ts";

/** Options of a call by this sender, against a runtime where callers name themselves. */
export const as = (sender: string) => ({ auth: devAgent(sender) });

export type Changes = Partial<EnvelopeInit>;

/** A SessionStart that every mode accepts. */
export function start(
  key: ModeKey,
  payload: MessageInitShape<typeof SessionStartPayloadSchema> = {},
  changes: Changes = {},
): Envelope {
  const whole = {
    participants: ["alice", "bob"],
    modeVersion: "1.0.0",
    configurationVersion: "config.default",
    ttlMs: 60_000n,
    ...payload,
  };
  return toEnvelope({
    mode: modeTable[key].mode,
    messageType: "SessionStart",
    sessionId: newSessionId(),
    payload: encodeCorePayload("SessionStart", whole),
    ...changes,
  });
}

/** A message of a mode into a session. */
export function inMode<K extends ModeKey, T extends MessageType<K>>(
  [key, messageType]: readonly [K, T],
  sessionId: string,
  { payload, ...changes }: { payload: PayloadInit<K, T> } & Omit<Changes, "payload">,
): Envelope {
  const mode = modeTable[key].mode;
  const bytes = encodePayload(key, messageType, payload);
  return toEnvelope({ mode, messageType, sessionId, ...changes, payload: bytes });
}

export function proposal(sessionId: string, changes: Omit<Changes, "payload"> = {}): Envelope {
  const payload = { proposalId: changes.messageId ?? "p1", option: "deploy", rationale: "" };
  return inMode(["decision", "Proposal"], sessionId, { payload, ...changes });
}

export function commitment(
  key: ModeKey,
  sessionId: string,
  init: Partial<CommitmentInit> = {},
): Envelope {
  const whole = { action: "deployment.approved", authorityScope: "release", reason: "agreed", ...init };
  // Every mode has this message, with this payload.
  const { payload } = inMode(["decision", "Commitment"], sessionId, { payload: toCommitment(whole) });
  return toEnvelope({ mode: modeTable[key].mode, messageType: "Commitment", sessionId, payload });
}

export function signal(signalType: string, changes: Changes = {}): Envelope {
  const payload = encodeCorePayload("Signal", { signalType });
  return toEnvelope({ messageType: "Signal", payload, ...changes });
}

export async function send(calls: RuntimeCalls, sender: string, envelope: Envelope): Promise<Ack> {
  const { ack } = await calls.send(create(SendRequestSchema, { envelope }), as(sender));
  if (ack === undefined) throw new Error("an answer without an Ack");
  return ack;
}

/** Sends and insists on being accepted; answers the session's id. */
export async function accepted(calls: RuntimeCalls, sender: string, envelope: Envelope): Promise<string> {
  const ack = await send(calls, sender, envelope);
  if (!ack.ok) throw new Error(`refused: ${ack.error?.code} ${ack.error?.message}`);
  return envelope.sessionId;
}

export async function errorCode(calls: RuntimeCalls, sender: string, envelope: Envelope): Promise<string> {
  const { ok, error } = await send(calls, sender, envelope);
  return ok ? "ok" : (error?.code ?? "");
}

export const subscribe = (subscribeSessionId: string, afterSequence = 0n) =>
  create(StreamSessionRequestSchema, { subscribeSessionId, afterSequence });
export const frame = (envelope: Envelope) => create(StreamSessionRequestSchema, { envelope });

/** Everything until the end; rejects when it fails. */
export async function collect<T>(messages: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const message of messages) all.push(message);
  return all;
}
