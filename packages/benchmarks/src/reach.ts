import { type Client, createClient, createGuard, type Guard } from "@agentkeys/core";
import { createAuthority } from "@agentkeys/server";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { authorityOptions, identity } from "./identity.ts";
import { type Order, row, tool } from "./order.ts";
import { startProgram } from "./program.ts";
import { stubFetch } from "./stub-authority.ts";

/** A guard whose authority answers at once, writes to disk in this process, or writes to disk in another. */
export interface Reaches extends AsyncDisposable {
  readonly stub: Guard;
  readonly embedded: Guard;
  readonly loopback: Guard;
}

export async function openReaches(directory: string): Promise<Reaches> {
  await using opened = new AsyncDisposableStack();
  const data = (): Promise<string> => mkdtemp(join(directory, "authority-"));
  const authority = opened.use(await createAuthority({ data: await data(), ...authorityOptions }));
  const { url } = opened.use(await startProgram("authority", await data()));
  const guardOver = (client: Client): Guard =>
    createGuard<{ [tool.name]: Order }>({
      client: opened.use(client),
      tools: { [tool.name]: row },
    });
  const stub = guardOver(createClient({ ...identity, fetch: stubFetch }));
  const embedded = guardOver(createClient({ ...identity, fetch: authority.fetch }));
  const loopback = guardOver(createClient({ ...identity, url }));
  const held = opened.move();
  return { stub, embedded, loopback, [Symbol.asyncDispose]: () => held.disposeAsync() };
}
