import type { Readable, Writable } from "node:stream";
import { AgentKeysError, type Surface } from "@agentkeys/contract";
import type { Logger } from "pino";
import { createAsked } from "./approvals/asked.ts";
import { startSweep } from "./approvals/sweep.ts";
import { createTokens } from "./access/auth.ts";
import type { AuthorityConfig } from "./config/config-schema.ts";
import { loadSettings } from "./config/config.ts";
import { endpoints } from "./http/endpoints.ts";
import type { InProcessFetch } from "./http/fetch.ts";
import { createDirectCall } from "./http/direct-call.ts";
import { createFetch } from "./http/fetch.ts";
import { loadKeys } from "./keys/keys.ts";
import type { Listening, ListenOptions } from "./http/listener.ts";
import { createListeners } from "./http/listener.ts";
import { createLog } from "./log.ts";
import { createMetrics } from "./metrics.ts";
import { compilePolicy, policyVersions, quorums } from "./access/policy.ts";
import { createReplays } from "./replays.ts";
import { createDispatch } from "./http/router.ts";
import type { Services } from "./services.ts";
import type { Settings } from "./config/settings.ts";
import { openSqliteStore } from "./sqlite/sqlite-store.ts";
import { serveLines } from "./rpc/stdio.ts";
import type { Clock, LogEntry, Store } from "./store/store.ts";
import { openVault } from "./keys/vault.ts";

export interface AuthorityOptions {
  /** Directory of the database and the keys, made if need be; ":memory:" keeps nothing. */
  data: string;
  /** Path of a configuration file, or its content as an object. Default: none, upstream's environment variables decide alone. */
  config?: string | AuthorityConfig;
  /** `v1` is upstream to the letter. Default: `default`. */
  surface?: Surface;
  /** Default: `process.env`. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since 1970. Default: `Date.now`. */
  clock?: Clock;
  /** Default: pino on standard error, at level `warn`. */
  log?: Logger;
  /** Another implementation of the store port. Default: SQLite in `data`. */
  store?: Store;
}

/** What the authority was told to be, without its secrets. */
export interface Summary {
  readonly surface: Surface;
  readonly vendors: readonly string[];
  readonly operators: readonly string[];
  /** Configured actors; undefined = no configuration file: any actor, the built-in policy. */
  readonly actors: readonly string[] | undefined;
}

export interface Authority extends AsyncDisposable {
  /** In process, through the same dispatcher as a socket: give it to a client as its `fetch`. */
  readonly fetch: InProcessFetch;
  readonly summary: Summary;
  /** Accepts connections. Rejects with `config_invalid` where it cannot. */
  listen(options?: ListenOptions): Promise<Listening>;
  /** Serves newline-delimited JSON-RPC to the process that holds these streams. Resolves when the input ends. */
  stdio(io: { input: Readable; output: Writable }): Promise<void>;
  /** Records with a sequence number above `after`, in order; by default the first 1,000. */
  records(after?: number, limit?: number): Promise<LogEntry[]>;
  /** Answers what is under way, then closes connections and store. Closing twice is fine. */
  close(): Promise<void>;
}

/** Opens an authority. Rejects with `config_invalid` for a bad configuration and a directory that is in use, damaged or newer. */
export async function createAuthority(options: AuthorityOptions): Promise<Authority> {
  const { data, env = process.env, clock = Date.now, log = createLog() } = options;
  const surface = knownSurface(options.surface);
  const settings = loadSettings({ config: options.config, env });
  if (env["AGENTKEYS_OPERATOR_TOKEN"] && settings.operators.length === 0) {
    log.warn("AGENTKEYS_OPERATOR_TOKEN is nobody's: no operator route answers it");
  }
  const warn = (text: string) => log.warn(text);
  const store = options.store ?? (await openSqliteStore({ data, clock, warn }));
  try {
    const keys = loadKeys({ data, env, warn });
    const now = () => Math.floor(clock() / 1000);
    const services: Services = {
      surface,
      settings,
      store,
      vault: await openVault(store, keys.master),
      keys,
      policy: compilePolicy(settings),
      policyVersion: policyVersions(settings),
      quorum: quorums(settings),
      tokens: createTokens(settings),
      replays: createReplays(),
      revoked: new Set((await store.revokedActors()).keys()),
      asked: createAsked(await store.askedActors(now()), now),
      streams: new Set(),
      clock,
      log,
      metrics: createMetrics(),
    };
    return toAuthority(services);
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** As it comes from a program that is not typed, or from a command line. */
function knownSurface(surface: Surface = "default"): Surface {
  if (surface === "v1" || surface === "default") return surface;
  const message = `surface: expected "default" or "v1", found ${JSON.stringify(surface)}`;
  throw new AgentKeysError("config_invalid", message);
}

function toAuthority(services: Services): Authority {
  const { store, log, settings, surface, streams } = services;
  const dispatch = createDispatch(services, endpoints(services));
  const listeners = createListeners(dispatch, log);
  const endSweep = surface === "v1" ? undefined : startSweep(services);
  let closing: Promise<void> | undefined;
  const close = async () => {
    endSweep?.();
    for (const end of streams) end();
    await listeners.close();
    await store.close();
  };
  return {
    fetch: createFetch(dispatch, createDirectCall(services)),
    summary: summaryOf(settings, surface),
    listen: async (options = {}) => {
      if (closing !== undefined)
        throw new AgentKeysError("config_invalid", "the authority is closed");
      return listeners.listen(options);
    },
    stdio: (io) => serveLines(services, io),
    records: (after = 0, limit = 1000) => store.entriesAfter(after, limit),
    close: () => (closing ??= close()),
    [Symbol.asyncDispose]: () => (closing ??= close()),
  };
}

function summaryOf({ vendors, operators, actors }: Settings, surface: Surface): Summary {
  return {
    surface,
    vendors: vendors.map(({ name }) => name),
    operators: operators.map(({ omni }) => omni),
    actors: actors && [...actors.keys()],
  };
}
