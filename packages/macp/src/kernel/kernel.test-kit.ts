import { create, toBinary } from "@bufbuild/protobuf";
import {
  CommitmentPayloadSchema,
  ModeDescriptorSchema,
  SessionStartPayloadSchema,
} from "../generated/macp/v1/core_pb.ts";
import type { PolicyInit } from "../policy/policy-registry.ts";
import { type CommitmentInit, toCommitment } from "../protocol/commitment.ts";
import { type EnvelopeInit, toEnvelope } from "../protocol/envelope.ts";
import { newMessageId, newSessionId } from "../protocol/ids.ts";
import {
  type MessageType,
  type ModeKey,
  modeTable,
  type PayloadInit,
} from "../protocol/mode-table.ts";
import { encodeCorePayload, encodePayload } from "../protocol/payload.ts";
import { type SessionStartInit, toSessionStart } from "../protocol/session-start.ts";
import { createMemoryStore } from "../storage/memory-store.ts";
import { createKernel, type KernelOptions } from "./create-kernel.ts";
import type { Outcome, SendRights } from "./kernel.ts";

const participants = ["coordinator", "alice", "bob", "carol"];

/** Starts where the last test cannot have been: nothing here reads the real clock. */
export const epoch = 1_700_000_000_000;

/** A kernel with a clock that stands still until it is moved. */
export function createBench(options: Partial<KernelOptions> = {}) {
  const time = { now: epoch };
  const store = options.store ?? createMemoryStore();
  const kernel = createKernel({ store, clock: () => time.now, ...options });
  const send = (init: Partial<EnvelopeInit> & { messageType: string; sender: string }) =>
    kernel.send(toEnvelope({ payload: new Uint8Array(0), timestampMs: 0, ...init }));

  /** Opens a session; the answers of its methods are outcomes in short: `ok`, a variant, or `ok Resolved`. */
  const open = async <K extends ModeKey>(key: K, init: OpenInit = {}) => {
    const { sessionId = newSessionId(), initiator = "coordinator", envelope = {}, rights } = init;
    const { mode } = modeTable[key];
    const started = await kernel.send(
      startEnvelope(mode, { ...init, sessionId, initiator, envelope }),
      rights,
    );
    const raw = (
      sender: string,
      messageType: string,
      payload: Uint8Array,
      messageId = newMessageId(),
    ) => send({ mode, sessionId, sender, messageType, payload, messageId });
    const say = async <T extends MessageType<K>>(
      sender: string,
      type: T,
      payload: PayloadInit<K, T>,
    ) => short(await raw(sender, type, encodePayload(key, type, payload)));
    const commit = async (sender: string, action: string, more: Partial<CommitmentInit> = {}) => {
      const commitment = toCommitment({
        action,
        authorityScope: "scope",
        reason: "because",
        ...more,
      });
      return short(await raw(sender, "Commitment", toBinary(CommitmentPayloadSchema, commitment)));
    };
    return {
      sessionId,
      mode,
      started: short(started),
      raw,
      say,
      commit,
      state: async () => (await kernel.get(sessionId))?.state,
      modeState: async () => (await kernel.inspect(sessionId))?.modeState as Json,
      resolution: async () => (await kernel.inspect(sessionId))?.resolution,
    };
  };
  return { kernel, store, time, send, open };
}

type Json = Record<string, never>;

export interface OpenInit extends Partial<SessionStartInit> {
  sessionId?: string;
  initiator?: string;
  envelope?: Partial<EnvelopeInit>;
  rights?: SendRights;
}

export function startEnvelope(mode: string, init: OpenInit & { sessionId: string }) {
  const { sessionId, initiator = "coordinator", envelope = {} } = init;
  const payload = toSessionStart({ participants, ttlMs: 60_000, ...init });
  return toEnvelope({
    mode,
    sessionId,
    sender: initiator,
    messageType: "SessionStart",
    timestampMs: 0,
    payload: toBinary(SessionStartPayloadSchema, payload),
    ...envelope,
  });
}

/** `ok`, `ok Resolved`, `duplicate`, or the variant that refused it. */
export function short(outcome: Outcome): string {
  if (!outcome.ok) return outcome.variant;
  if (outcome.duplicate) return "duplicate";
  return outcome.state === "Open" ? "ok" : `ok ${outcome.state}`;
}

export function policy(init: Partial<Omit<PolicyInit, "rules">> & { rules?: unknown }): PolicyInit {
  const { rules = {}, ...rest } = init;
  return {
    policyId: "policy.test",
    mode: "*",
    description: "",
    schemaVersion: 2,
    ...rest,
    rules: typeof rules === "string" ? rules : JSON.stringify(rules),
  };
}

export const signal = (signalType: string) => encodeCorePayload("Signal", { signalType });

export const extension = (init: object = {}) =>
  create(ModeDescriptorSchema, {
    mode: "ext.poll.v1",
    modeVersion: "2.0.0",
    messageTypes: ["SessionStart", "Answer", "Commitment"],
    terminalMessageTypes: ["Commitment"],
    ...init,
  });
