import type { ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";

/** Between two looks whether clients are still there, ms. */
const LOOK_EVERY = 30_000;

export interface Sessions {
  add(session: ServerHttp2Session, socket: Socket): void;
  /** No more calls; those that are open have `drain` ms. */
  close(drain: number): Promise<void>;
}

/** The connections of a server. One whose client does not answer from one look to the next is given up. */
export function createSessions(): Sessions {
  const open = new Map<ServerHttp2Session, Socket>();
  const silent = new Set<ServerHttp2Session>();
  let onEmpty = (): void => {};
  const giveUp = (session: ServerHttp2Session, socket: Socket): void => {
    session.destroy();
    // A session that cannot write any more, as under TLS after a reset, would keep its socket.
    socket.destroy();
  };
  const look = setInterval(() => {
    for (const [session, socket] of open) {
      if (silent.has(session) || session.destroyed) giveUp(session, socket);
      else if (session.ping(() => silent.delete(session))) silent.add(session);
    }
  }, LOOK_EVERY).unref();
  return {
    add(session, socket) {
      open.set(session, socket);
      session.on("error", () => {});
      session.once("close", () => {
        open.delete(session);
        silent.delete(session);
        if (open.size === 0) onEmpty();
      });
    },
    async close(drain) {
      clearInterval(look);
      const drained = new Promise<void>((resolve) => {
        onEmpty = resolve;
        for (const session of open.keys()) session.close();
        if (open.size === 0) resolve();
      });
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, drain)));
      await Promise.race([drained, late]);
      clearTimeout(timer);
      for (const [session, socket] of open) giveUp(session, socket);
    },
  };
}
