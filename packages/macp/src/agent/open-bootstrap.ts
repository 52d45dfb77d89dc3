import { fromJson, type MessageInitShape, type DescMessage } from "@bufbuild/protobuf";
import { AgentKeysError } from "@agentkeys/contract";
import { base64Decode } from "@bufbuild/protobuf/wire";
import type { MacpClient } from "../client/client.ts";
import type { Auth } from "../protocol/auth.ts";
import { modeKeyOf, type ModeKey, payloadSchema } from "../protocol/mode-table.ts";
import { refusalOf } from "../protocol/refusal.ts";
import type { SessionStartInit } from "../protocol/session-start.ts";
import type { SessionMode } from "../sessions/mode-session.ts";
import type { AnySession } from "../sessions/session-modes.ts";
import { authOf, type Bootstrap, runtimeOf } from "./bootstrap.ts";

export interface Connection {
  /** host:port */
  readonly target: string;
  readonly allowInsecure: boolean;
  readonly auth: Auth;
}

/** What a bootstrap leads to. Closing it closes session and client. */
export interface BootstrappedAgent extends AsyncDisposable {
  /** Who the participant is. */
  readonly me: string;
  readonly client: MacpClient;
  readonly session: AnySession;
  close(): Promise<void>;
}

/**
 * Connects, and starts the session or joins it: `connect` is `createMacpClient` of `@agentkeys/macp/grpc`. An initiator
 * whose session is there already joins it; a participant waits for its session to be started, until the signal aborts.
 */
export async function openBootstrap(
  bootstrap: Bootstrap,
  connect: (connection: Connection) => MacpClient,
  { signal }: { signal?: AbortSignal } = {},
): Promise<BootstrappedAgent> {
  const key = modeKeyOf(bootstrap.mode);
  if (key === undefined) throw invalid(`no sessions of mode ${bootstrap.mode}`);
  const auth = authOf(bootstrap);
  const client = connect({ ...runtimeOf(bootstrap), auth });
  try {
    const session = await enter(client, key, { bootstrap, signal });
    const close = async () => {
      await session.close();
      await client.close();
    };
    const me = auth.expectedSender ?? bootstrap.participant_id;
    return { me, client, session, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await client.close();
    throw error;
  }
}

interface Entering {
  readonly bootstrap: Bootstrap;
  readonly signal: AbortSignal | undefined;
}

async function enter(
  client: MacpClient,
  key: ModeKey,
  { bootstrap, signal }: Entering,
): Promise<AnySession> {
  const mode: SessionMode<AnySession> = client[key];
  const { session_id: sessionId, initiator } = bootstrap;
  if (initiator === undefined) return joinWhenStarted(client, mode, { sessionId, signal });
  const session = await mode
    .start(startOf(bootstrap), { sessionId, signal })
    .catch((error: unknown) => {
      if (refusalOf(error)?.code !== "SESSION_ALREADY_EXISTS") throw error;
      return mode.join(sessionId, { signal });
    });
  await kickOff(session, bootstrap);
  return session;
}

async function joinWhenStarted(
  client: MacpClient,
  mode: SessionMode<AnySession>,
  { sessionId, signal }: { sessionId: string; signal: AbortSignal | undefined },
): Promise<AnySession> {
  const joined = await mode.join(sessionId, { signal }).catch((error: unknown) => {
    if (AgentKeysError.is(error, "not_found")) return undefined;
    throw error;
  });
  if (joined !== undefined) return joined;
  for await (const { session } of client.watchSessions({ signal })) {
    if (session.sessionId === sessionId) break;
  }
  return mode.join(sessionId, { signal });
}

/** The first message, unless an earlier run has sent it. */
async function kickOff(session: AnySession, { initiator }: Bootstrap): Promise<void> {
  const { kickoff } = initiator ?? {};
  if (kickoff === undefined) return;
  const { message_type: type, payload } = kickoff;
  const { projection, mode } = session;
  const sent = projection.transcript.some(
    ({ messageType, sender }) => messageType === type && sender === projection.initiator,
  );
  const schema = payloadSchema(mode, type);
  if (schema === undefined) throw invalid(`${mode} has no message ${type}`);
  // The schema is of this message type, which the union of all modes' sends cannot say.
  const send = session.send as unknown as (
    messageType: string,
    init: MessageInitShape<DescMessage>,
  ) => Promise<unknown>;
  if (!sent) await send(type, fromJson(schema, payload));
}

function startOf(bootstrap: Bootstrap): SessionStartInit {
  const { initiator, participants, mode_version, configuration_version } = bootstrap;
  const start = initiator?.session_start;
  if (start === undefined) throw invalid("no session_start");
  const policy = start.policy_version ?? bootstrap.policy_version;
  const extensions = Object.entries(start.extensions).map(
    ([name, base64]) => [name, base64Decode(base64)] as const,
  );
  return {
    intent: start.intent,
    participants: start.participants ?? participants,
    ttlMs: start.ttl_ms,
    roots: start.roots,
    ...(policy !== undefined && { policy }),
    ...(start.max_suspend_ms !== undefined && { maxSuspendMs: start.max_suspend_ms }),
    context: { id: start.context_id ?? "", extensions: Object.fromEntries(extensions) },
    versions: {
      ...(mode_version !== undefined && { mode: mode_version }),
      ...(configuration_version !== undefined && { configuration: configuration_version }),
    },
  };
}

const invalid = (message: string) => new AgentKeysError("config_invalid", `bootstrap: ${message}`);
