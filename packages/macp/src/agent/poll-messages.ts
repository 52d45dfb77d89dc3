import { type DescMessage, fromJson, type JsonValue, toBinary } from "@bufbuild/protobuf";
import { z } from "zod";
import { pause } from "../client/retry.ts";
import type { Envelope } from "../generated/macp/v1/envelope_pb.ts";
import { toEnvelope } from "../protocol/envelope.ts";
import { grpcStatus, type GrpcStatus } from "../protocol/error-codes.ts";
import { payloadSchema } from "../protocol/mode-table.ts";
import { corePayloads } from "../protocol/payload.ts";
import { statusError } from "../protocol/refusal.ts";

export interface PollOptions {
  /** `GET {url}/sessions/{sessionId}/events?after={sequence}` answers what came after that one. */
  url: string;
  sessionId: string;
  /** The session's mode on the wire: it says how payloads are read. */
  mode: string;
  /** Sent as a bearer token. */
  token?: string | undefined;
  /** Milliseconds between two questions. Default: 1,000. */
  intervalMs?: number | undefined;
  /** The last `sequence` that an earlier run has handled. Default: everything from the first on. */
  after?: number | undefined;
  /** Ends the messages. */
  signal?: AbortSignal | undefined;
}

export interface PolledMessage {
  /** The service's own count: give it to `after` to go on from there. */
  readonly sequence: number;
  /** For `participant.process`, a dispatcher or a projection. */
  readonly envelope: Envelope;
}

/** Milliseconds that one answer may take. */
const patience = 10_000;

/**
 * A session's messages from a service that hands them out over HTTP, for a participant without a way to the runtime.
 * The service's events are an array, or stand under `events`; each is an envelope, or has one under `envelope`, with
 * the payload as JSON. Asks again where the service cannot be reached or does not have the session yet; throws where
 * it refuses or says what cannot be read.
 */
export async function* pollMessages(options: PollOptions): AsyncGenerator<PolledMessage, void> {
  const { intervalMs = 1000, signal } = options;
  let after = options.after ?? -1;
  for (;;) {
    if (signal?.aborted) return;
    for (const event of (await ask(options, after)) ?? []) {
      const sequence = event.seq ?? after + 1;
      // A service may hand out again what it was not asked for.
      if (sequence <= after) continue;
      if (signal?.aborted) return;
      after = sequence;
      yield { sequence, envelope: read(event, sequence, options) };
    }
    await pause(intervalMs, signal).catch(() => undefined);
  }
}

const Fields = z.object({
  message_type: z.string().optional(),
  messageType: z.string().optional(),
  message_id: z.string().optional(),
  messageId: z.string().optional(),
  sender: z.string().default(""),
  payload: z.json().optional(),
});
const Event = z.union([
  z.object({ seq: z.int().optional(), envelope: Fields }),
  Fields.extend({ seq: z.int().optional() }).transform(({ seq, ...envelope }) => ({
    seq,
    envelope,
  })),
]);
const Answer = z.union([
  z.array(Event),
  z.object({ events: z.array(Event) }).transform(({ events }) => events),
]);

/** Undefined where asking again may help. */
async function ask(
  { url, sessionId, token, signal }: PollOptions,
  after: number,
): Promise<z.output<typeof Answer> | undefined> {
  const address = `${url.replace(/\/+$/, "")}/sessions/${encodeURIComponent(sessionId)}/events?after=${after}`;
  const late = AbortSignal.timeout(patience);
  const response = await fetch(address, {
    headers: { accept: "application/json", ...(token && { authorization: `Bearer ${token}` }) },
    signal: signal === undefined ? late : AbortSignal.any([signal, late]),
  }).catch(() => undefined);
  if (response === undefined) return undefined;
  const { ok, status } = response;
  if (!ok) {
    await response.body?.cancel();
    if (status === 404 || status === 429 || status >= 500) return undefined;
    throw failure(byHttpStatus[status] ?? grpcStatus.UNKNOWN, `events: HTTP ${status}`);
  }
  const text = await response.text().catch(() => undefined);
  if (text === undefined) return undefined;
  const answer = Answer.safeParse(parsed(text));
  if (answer.success) return answer.data;
  throw failure(grpcStatus.DATA_LOSS, "events: the answer is no list of events");
}

const byHttpStatus: Readonly<Record<number, GrpcStatus>> = {
  400: grpcStatus.INVALID_ARGUMENT,
  401: grpcStatus.UNAUTHENTICATED,
  403: grpcStatus.PERMISSION_DENIED,
};

function read(
  { envelope }: z.output<typeof Event>,
  sequence: number,
  { mode, sessionId }: PollOptions,
): Envelope {
  const messageType = envelope.message_type ?? envelope.messageType ?? "";
  const { sender, payload = {} } = envelope;
  return toEnvelope({
    mode,
    sessionId,
    messageType,
    sender,
    // The same event has the same id, or it would count twice.
    messageId: envelope.message_id ?? envelope.messageId ?? `event-${sequence}`,
    payload: toBytes(mode, messageType, typeof payload === "string" ? parsed(payload) : payload),
  });
}

/** What the runtime has as the payload; JSON as it is where nothing is known of the type. */
function toBytes(mode: string, messageType: string, json: JsonValue | undefined): Uint8Array {
  const core: Readonly<Record<string, DescMessage>> = corePayloads;
  const schema = payloadSchema(mode, messageType) ?? core[messageType];
  if (schema === undefined) return new TextEncoder().encode(JSON.stringify(json ?? {}));
  try {
    return toBinary(schema, fromJson(schema, json ?? {}, { ignoreUnknownFields: true }));
  } catch {
    throw failure(grpcStatus.DATA_LOSS, `events: a ${messageType} that cannot be read`);
  }
}

/** Undefined where it is no JSON. */
function parsed(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

const failure = (status: GrpcStatus, message: string): Error => statusError({ status, message });
