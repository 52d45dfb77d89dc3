import { AgentKeysError } from "@agentkeys/contract";
import type { SessionInfo } from "../client/session-info.ts";
import type { Auth } from "../protocol/auth.ts";
import type { SessionHost } from "./session-host.ts";

/** How a session ends. */
export type Ending = "resolved" | "expired" | "cancelled";

const endings: Readonly<Partial<Record<SessionInfo["state"], Ending>>> = {
  RESOLVED: "resolved",
  EXPIRED: "expired",
  CANCELLED: "cancelled",
};

/** How many messages were accepted, at least: a runtime does not say more. SessionStart is the one it does not count. */
export const acceptedAtLeast = ({ activity }: SessionInfo): number =>
  activity.reduce((sum, { messages }) => sum + messages, 1);

export interface Ended {
  readonly ending: Ending;
  readonly accepted: number;
}

export interface EndingOptions {
  readonly auth: Auth | undefined;
  readonly signal: AbortSignal;
}

/** A runtime puts neither a session's cancelling nor its expiry on the session's own stream; this hears of them. */
export interface Endings {
  /** Resolves when the session has ended; to undefined when the signal aborts first, or lifecycles may not be watched. */
  of(sessionId: string, options: EndingOptions): Promise<Ended | undefined>;
}

type Settle = (ended: Ended | undefined) => void;
type Host = Pick<SessionHost, "watchSessions" | "getSession" | "log">;

/** One watch for all sessions of a credential, open while anybody waits. */
export function createEndings(host: Host): Endings {
  const watches = new Map<Auth | undefined, Watch>();
  return {
    async of(sessionId, { auth, signal }) {
      if (signal.aborted) return undefined;
      const watch = watches.get(auth) ?? new Watch(host, auth);
      watches.set(auth, watch);
      try {
        return await watch.wait(sessionId, signal);
      } finally {
        if (watch.isIdle) {
          watch.close();
          if (watches.get(auth) === watch) watches.delete(auth);
        }
      }
    },
  };
}

class Watch {
  readonly #host: Host;
  readonly #auth: Auth | undefined;
  readonly #stop = new AbortController();
  readonly #waiting = new Map<string, Set<Settle>>();
  #over = false;

  constructor(host: Host, auth: Auth | undefined) {
    this.#host = host;
    this.#auth = auth;
    void this.#run();
  }

  get isIdle(): boolean {
    return this.#waiting.size === 0;
  }

  close(): void {
    this.#stop.abort();
  }

  async wait(sessionId: string, signal: AbortSignal): Promise<Ended | undefined> {
    if (this.#over) return undefined;
    return new Promise((resolve) => {
      const all = this.#waiting.get(sessionId) ?? new Set();
      const abort = () => settle(undefined);
      const settle: Settle = (ended) => {
        signal.removeEventListener("abort", abort);
        all.delete(settle);
        if (all.size === 0) this.#waiting.delete(sessionId);
        resolve(ended);
      };
      signal.addEventListener("abort", abort, { once: true });
      this.#waiting.set(sessionId, all.add(settle));
      void this.#look(sessionId, signal);
    });
  }

  /** The watch may have told of it before anybody asked. What is no longer known was told by its own stream. */
  async #look(sessionId: string, signal: AbortSignal): Promise<void> {
    const looked = this.#host.getSession(sessionId, { auth: this.#auth, signal });
    const session = await looked.catch(() => undefined);
    if (session) this.#tell(session);
  }

  #tell(session: SessionInfo): void {
    const ending = endings[session.state];
    if (ending === undefined) return;
    const ended = { ending, accepted: acceptedAtLeast(session) };
    for (const settle of this.#waiting.get(session.sessionId) ?? []) settle(ended);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    try {
      const events = this.#host.watchSessions({ auth: this.#auth, signal });
      for await (const { session } of events) this.#tell(session);
    } catch (error) {
      const { code } = AgentKeysError.from(error);
      if (!signal.aborted) {
        this.#host.log({ level: "warn", message: "no lifecycles", fields: { code } });
      }
    }
    this.#over = true;
    for (const all of this.#waiting.values()) for (const settle of all) settle(undefined);
  }
}
