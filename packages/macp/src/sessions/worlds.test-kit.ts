import { onTestFinished } from "vitest";
import { createMacpClient, type MacpClient } from "../client/client.ts";
import { type Auth, devAgent } from "../protocol/auth.ts";
import { createRuntime, type Runtime, type RuntimeOptions } from "../runtime/create-runtime.ts";

export interface World {
  readonly runtime: Runtime;
  /** A client of the initiator, Ann. */
  readonly client: MacpClient;
  /** Another client of the same runtime. */
  as(auth: Auth): MacpClient;
}

export const [ann, bob, cid, eve] = ["ann", "bob", "cid", "eve"].map((id) => devAgent(id)) as [
  Auth,
  Auth,
  Auth,
  Auth,
];

/** Everybody who takes part, and how long a session lasts. */
export const party = { participants: ["ann", "bob", "cid"], ttlMs: 60_000 };

/** A real runtime in this process; gone with the test. */
export function openWorld(options: RuntimeOptions = {}): World {
  const runtime = createRuntime(options);
  const clients: MacpClient[] = [];
  const as = (auth: Auth) => {
    const client = createMacpClient({ runtime, auth });
    clients.push(client);
    return client;
  };
  onTestFinished(async () => {
    for (const client of clients) await client.close();
    await runtime.close();
  });
  return { runtime, client: as(ann), as };
}
