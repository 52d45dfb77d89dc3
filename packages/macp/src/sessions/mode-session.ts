import type { Projection } from "../projections/projection.ts";
import type { Auth } from "../protocol/auth.ts";
import { toEnvelope } from "../protocol/envelope.ts";
import { isSessionId, newSessionId } from "../protocol/ids.ts";
import { modeTable, type ModeKey } from "../protocol/mode-table.ts";
import { encodeCorePayload } from "../protocol/payload.ts";
import {
  type SessionStartInit,
  sessionStartProblem,
  toSessionStart,
} from "../protocol/session-start.ts";
import { acceptedAtLeast, type Endings } from "./endings.ts";
import { Feed } from "./feed.ts";
import { refuse } from "./refuse.ts";
import { createSession } from "./session.ts";
import type { SessionHost } from "./session-host.ts";
import type { SendOptions, Session } from "./session-surface.ts";

export interface StartOptions {
  /** Default: a new UUID. */
  sessionId?: string;
  /** Who starts it, and whom the session then acts as. Default: the client's identity. */
  as?: Auth | undefined;
  signal?: AbortSignal | undefined;
}

export interface JoinOptions {
  /** Whom the session acts as: the initiator, a participant, or an observer. Default: the client's identity. */
  as?: Auth | undefined;
  signal?: AbortSignal | undefined;
}

/** How sessions of one mode begin. */
export interface SessionMode<S> {
  /** Starts one; resolves once the runtime has accepted it. */
  start(init: SessionStartInit, options?: StartOptions): Promise<S>;
  /** One that exists: resolves with its history in the projection, and goes on live. */
  join(sessionId: string, options?: JoinOptions): Promise<S>;
}

/** What makes a mode out of the generic session. */
export interface ModeDefinition<K extends ModeKey, P extends Projection, S> {
  readonly key: K;
  readonly project: () => P;
  /** `sender` tells who would send with these options, "" where the credential does not say. */
  readonly verbs: (session: Session<K, P>, sender: (options: SendOptions) => string) => S;
}

export function createSessionMode<K extends ModeKey, P extends Projection, S extends object>(
  { host, endings }: { host: SessionHost; endings: Endings },
  { key, project, verbs }: ModeDefinition<K, P, S>,
): SessionMode<Session<K, P> & S> {
  const { mode } = modeTable[key];

  function open(id: string, auth: Auth | undefined) {
    const projection = project();
    const feed = new Feed(host, { endings, projection, sessionId: id, auth });
    const session = createSession(host, { key, id, auth, projection, feed });
    const sender = ({ as = auth }: SendOptions) => as?.expectedSender ?? "";
    return { feed, session: Object.assign(session, verbs(session, sender)) };
  }

  return {
    async start(init, { as: auth = host.auth, sessionId = newSessionId(), signal } = {}) {
      const start = toSessionStart(init);
      refuse(sessionStartProblem(start));
      if (!isSessionId(sessionId)) {
        refuse({ code: "INVALID_SESSION_ID", message: `session id: ${sessionId}` });
      }
      const envelope = toEnvelope({
        mode,
        messageType: "SessionStart",
        sessionId,
        sender: auth?.expectedSender ?? "",
        payload: encodeCorePayload("SessionStart", start),
      });
      await host.send(envelope, { auth, signal });
      const { feed, session } = open(sessionId, auth);
      await feed.taken(envelope);
      return session;
    },
    async join(sessionId, { as: auth = host.auth, signal } = {}) {
      const info = await host.getSession(sessionId, { auth, signal });
      if (info.mode !== mode) {
        refuse({
          code: "INVALID_ENVELOPE",
          message: `${sessionId} is a session of ${info.mode}`,
        });
      }
      const { feed, session } = open(sessionId, auth);
      await feed.caughtUp(acceptedAtLeast(info), signal);
      if (feed.failure === undefined) return session;
      await session.close();
      throw feed.failure;
    },
  };
}
