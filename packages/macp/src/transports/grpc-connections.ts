import { Client } from "@grpc/grpc-js";
import type { Channel } from "./grpc-channel.ts";

/**
 * Streams that one connection carries. A server allows so many calls of a connection (runtimes: 128 by default), streams
 * take theirs for as long as a session is open, and what is more than allowed waits: unary calls would wait for ever.
 */
const streamsPerConnection = 64;

export interface Connection {
  readonly client: Client;
  /** Its streams, to be given up when the transport is closed. */
  readonly open: Set<{ cancel(): void }>;
}

export interface Connections {
  /** Where unary calls go. */
  readonly first: Connection;
  /** The first connection that has room for another stream; made if need be. */
  forStream(): Connection;
  close(): void;
}

export function createConnections({ target, security, settings }: Channel): Connections {
  const connect = (extra: object): Connection => ({
    client: new Client(target, security, { ...settings, ...extra }),
    open: new Set(),
  });
  const first = connect({});
  const all = [first];
  return {
    first,
    forStream() {
      const free = all.find(({ open }) => open.size < streamsPerConnection);
      if (free !== undefined) return free;
      // Without a pool of its own it would be the same socket under another name.
      const another = connect({ "grpc.use_local_subchannel_pool": 1 });
      all.push(another);
      return another;
    },
    close() {
      for (const { client, open } of all) {
        for (const call of open) call.cancel();
        client.close();
      }
    },
  };
}
