import {
  type Client,
  type ClientOptions,
  createClient,
  createOperator,
  type Fetch,
  type Operator,
  type Revocation,
} from "@agentkeys/core";
import { createAuthority, openSqliteStore } from "@agentkeys/server";
import { answerAll } from "./answer-all.ts";
import { switchedFetch, type WireFault } from "./faulty-fetch.ts";
import {
  type ActorRules,
  configOf,
  env,
  identity,
  type MockIdentity,
  operatorToken,
} from "./mock-config.ts";
import { type Recorded, toRecorded } from "./recorded.ts";
import { troubledStore } from "./troubled-store.ts";

/** What goes wrong; may be changed in the middle of a run. */
export interface Trouble {
  /** `true`: no record can be written; `"hangs"`: none is ever answered. Default: false. */
  auditDown?: boolean | "hangs";
  /** What becomes of requests through `fetch` and `client()`. Default: undefined, they arrive. */
  fault?: WireFault | undefined;
  /** How long the authority takes for each record, in milliseconds. Default: 0. */
  latencyMs?: number;
  /** How far the authority's clock is ahead, in milliseconds. Default: 0. */
  clockSkewMs?: number;
}

export interface MockAuthorityOptions extends Trouble {
  /** Scopes that the policy denies. Whatever no option names is allowed. */
  deny?: readonly string[];
  /** Scopes of which each use asks a person. */
  ask?: readonly string[];
  /** Further rules of the one actor, as in a configuration file. Default: namespaces travel and profile, service openrouter. */
  actor?: ActorRules;
  /** The actor is revoked after so many guarded calls were let through; 0: before the first. Default: never. */
  revokedMidRun?: number;
}

/** An authority in this process, with one actor, its operator and nothing on disk. */
export interface MockAuthority extends AsyncDisposable {
  /** Token and omnis of the one actor, as `createClient` takes them. */
  readonly identity: MockIdentity;
  /** The way to it without a socket; `fault` holds here. */
  readonly fetch: Fetch;
  /** Listens on a free port of 127.0.0.1 from the first call on, and gives the `/mcp` URL. `fault` does not hold there. */
  url(): Promise<string>;
  /** The `AGENTKEYS_*` variables of a process that is this actor; listens, as `url` does. */
  env(): Promise<Record<string, string>>;
  /** A client of the actor, closed with the authority. */
  client(options?: ClientOptions): Client;
  /** The person responsible; no fault holds, but records are needed here too. Closed with the authority. */
  operator(): Operator;
  /** Every durable record so far, decoded. */
  log(): Recorded[];
  /** Changes what is named and keeps the rest. */
  set(trouble: Trouble): void;
  /** A person who answers yes to whatever is asked, until the result is disposed or the authority closed. */
  approveAll(reason?: string): AsyncDisposable;
  /** The same with no. */
  denyAll(reason?: string): AsyncDisposable;
  /** Refuses every later call of the actor. */
  revoke(reason?: string): Promise<Revocation>;
  close(): Promise<void>;
}

const calm = {
  auditDown: false,
  fault: undefined,
  latencyMs: 0,
  clockSkewMs: 0,
} satisfies Trouble;

/** The real authority, in memory: policy, log, vaults and HTTP are those of `@agentkeys/server`. */
export async function mockAuthority(options: MockAuthorityOptions = {}): Promise<MockAuthority> {
  const { deny, ask, actor, revokedMidRun = Infinity, ...trouble } = options;
  const now = { ...calm, ...trouble };
  let begun = 0;
  const clock = (): number => Date.now() + now.clockSkewMs;
  const memory = await openSqliteStore({ data: ":memory:", clock });
  const log: Recorded[] = [];
  memory.subscribe((entries) => void log.push(...entries.map(toRecorded)));
  let ready = false;
  const closing = new AbortController();
  const store = troubledStore(memory, {
    now: () => (ready ? now : calm),
    closing: closing.signal,
    async begun() {
      begun += 1;
      if (begun === revokedMidRun) await revoke();
    },
  });
  const config = configOf({ deny, ask, actor });
  const authority = await createAuthority({ data: ":memory:", config, env, clock, store });
  ready = true;
  const fetch = switchedFetch(authority.fetch, () => now.fault, closing.signal);
  const { open, closeAll } = createOpened();
  const operator = (): Operator =>
    open(createOperator({ fetch: authority.fetch, token: operatorToken }));
  const revoke = (reason = "revoked by the test"): Promise<Revocation> =>
    operator().actors.revoke(identity.actor, { reason });
  let listening: Promise<string> | undefined;
  const url = (): Promise<string> =>
    (listening ??= authority.listen({ port: 0 }).then((found) => found.url));
  const close = async (): Promise<void> => {
    Object.assign(now, calm);
    closing.abort(new Error("the mock authority is closed"));
    try {
      await closeAll();
    } finally {
      await authority.close();
    }
  };
  if (revokedMidRun === 0) await revoke();
  return {
    identity,
    fetch,
    url,
    env: async () => ({ AGENTKEYS_MCP_URL: await url(), ...variables }),
    client: (given = {}) =>
      open(createClient({ ...(given.url === undefined && { fetch }), ...identity, ...given })),
    operator,
    log: () => [...log],
    set: (changed) => void Object.assign(now, changed),
    approveAll: (reason = "approved by the test") => open(answerAll(operator(), "approve", reason)),
    denyAll: (reason = "denied by the test") => open(answerAll(operator(), "deny", reason)),
    revoke,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** What is closed with the authority. */
function createOpened() {
  const opened = new Set<AsyncDisposable>();
  return {
    open<T extends AsyncDisposable>(made: T): T {
      opened.add(made);
      return made;
    },
    async closeAll(): Promise<void> {
      await Promise.all([...opened].map((made) => made[Symbol.asyncDispose]()));
    },
  };
}

const variables = {
  AGENTKEYS_MCP_VENDOR_TOKEN: identity.token,
  AGENTKEYS_ACTOR_OMNI: identity.actor,
  AGENTKEYS_OPERATOR_OMNI: identity.operator,
  AGENTKEYS_DEVICE_KEY_HASH: identity.deviceKeyHash,
};
