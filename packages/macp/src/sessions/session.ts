import type { Accepted } from "../client/session-info.ts";
import type { Envelope } from "../generated/macp/v1/envelope_pb.ts";
import { AgentKeysError } from "@agentkeys/contract";
import type { Projection } from "../projections/projection.ts";
import type { Auth } from "../protocol/auth.ts";
import { commitmentProblem, toCommitment } from "../protocol/commitment.ts";
import { toEnvelope } from "../protocol/envelope.ts";
import {
  type MessageType,
  modeTable,
  type ModeKey,
  type PayloadInit,
} from "../protocol/mode-table.ts";
import { encodePayload } from "../protocol/payload.ts";
import type { Feed } from "./feed.ts";
import { refuse } from "./refuse.ts";
import type { SessionHost } from "./session-host.ts";
import type {
  CommitOptions,
  MessagesOptions,
  SendOptions,
  Session,
  Settled,
} from "./session-surface.ts";

export interface SessionParts<K extends ModeKey, P extends Projection> {
  readonly key: K;
  readonly id: string;
  readonly auth: Auth | undefined;
  readonly projection: P;
  readonly feed: Feed;
}

/** The commitment's fields in this session's versions. */
function commitmentIn({ start }: Projection, init: CommitOptions) {
  const { action, authorityScope, reason, outcomePositive, supersedes } = init;
  const commitment = toCommitment({
    action,
    authorityScope,
    reason,
    ...(outcomePositive === undefined ? {} : { outcomePositive }),
    ...(supersedes && { supersedes }),
    ...(start && {
      versions: {
        mode: start.modeVersion,
        configuration: start.configurationVersion,
        policy: start.policyVersion,
      },
    }),
  });
  refuse(commitmentProblem(commitment));
  return commitment;
}

async function* messagesOf(
  { feed, projection }: SessionParts<ModeKey, Projection>,
  { after = 0, signal }: MessagesOptions = {},
): AsyncGenerator<Envelope, void, undefined> {
  for (let index = after; ; index += 1) {
    await feed.until(() => projection.transcript.length > index, signal);
    const envelope = projection.transcript[index];
    if (envelope === undefined) break;
    yield envelope;
  }
  if (feed.failure) throw feed.failure;
}

async function untilAnswered<T>(
  { feed }: SessionParts<ModeKey, Projection>,
  ask: () => T,
  signal?: AbortSignal,
): Promise<Settled<T>> {
  let answer: T | undefined;
  const settled = () => {
    answer = ask();
    return answer !== undefined && answer !== null && answer !== false;
  };
  await feed.until(settled, signal);
  if (settled()) return answer as Settled<T>;
  if (feed.failure) throw feed.failure;
  throw new AgentKeysError(
    "conflict",
    `nothing more comes: ${feed.ending ?? "the session is closed"}`,
  );
}

export function createSession<K extends ModeKey, P extends Projection>(
  host: SessionHost,
  parts: SessionParts<K, P>,
): Session<K, P> {
  const { key, id, projection, feed } = parts;
  const { mode } = modeTable[key];
  const calling = ({ as = parts.auth, signal }: SendOptions = {}) => ({ auth: as, signal });

  async function send<T extends MessageType<K>>(
    messageType: T,
    init: PayloadInit<K, T>,
    options: SendOptions = {},
  ): Promise<Accepted> {
    const { auth, signal } = calling(options);
    const envelope = toEnvelope({
      mode,
      messageType,
      sessionId: id,
      sender: auth?.expectedSender ?? "",
      payload: encodePayload(key, messageType, init),
      ...(options.messageId !== undefined && { messageId: options.messageId }),
    });
    const ack = await host.send(envelope, { auth, signal });
    await feed.taken(envelope);
    return ack;
  }

  return {
    id,
    key,
    mode,
    projection,
    get ending() {
      return feed.ending;
    },
    send,
    commit: async (options) =>
      send(
        "Commitment",
        commitmentIn(projection, options) as PayloadInit<K, "Commitment">,
        options,
      ),
    cancel: (reason = "", options) => host.cancelSession(id, reason, calling(options)),
    suspend: (reason = "", options) => host.suspendSession(id, reason, calling(options)),
    resume: (reason = "", options) => host.resumeSession(id, reason, calling(options)),
    metadata: (options) => host.getSession(id, calling(options)),
    messages: (options) => messagesOf(parts, options),
    until: (ask, { signal } = {}) => untilAnswered(parts, () => ask(projection), signal),
    close: () => feed.close(),
    [Symbol.asyncDispose]: () => feed.close(),
  };
}
