import { AgentKeysError } from "@agentkeys/contract";
import { toPolicyDescriptor, type PolicyDefinition } from "../client/policy-info.ts";
import type { LocalRuntime } from "../client/transport.ts";
import { createKernel } from "../kernel/create-kernel.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { defaultMaxPayloadBytes } from "../protocol/constants.ts";
import { createMemoryStore } from "../storage/memory-store.ts";
import type { Store } from "../kernel/store.ts";
import { createInProcessTransport } from "../transports/in-process-transport.ts";
import { createAuthentication, type RuntimeAuth } from "./authentication.ts";
import { createCounters } from "./counters.ts";
import type { ListenOptions, Listener } from "./listen.ts";
import { createRateLimit } from "./rate-limit.ts";
import { createService } from "./service.ts";

export interface RuntimeLimits {
  /** Bytes of a payload. Default 1_048_576. */
  maxPayloadBytes?: number;
  /** Of one sender. Default: no limit; the program's is 60. */
  sessionStartsPerMinute?: number;
  /** Of one sender. Default: no limit; the program's is 600. */
  messagesPerMinute?: number;
  /** Sessions of a page whose request names no size. Default: all. */
  listPageSize?: number;
  /** Default 1_000. */
  listMaxPageSize?: number;
  /** How long an ended session stays in memory, ms from its start. Default 3_600_000. */
  sessionRetentionMs?: number;
  /** How long the store keeps an ended session, ms from its start. Default 0: for ever. */
  diskRetentionMs?: number;
}

export interface RuntimeOptions {
  /** Where sessions are kept. Default: in memory. */
  store?: Store;
  /** Who may call. Default: whoever calls names itself, for tests and demos. */
  auth?: RuntimeAuth;
  limits?: RuntimeLimits;
  /** Policies that are there from the start; nobody can then change them over the wire. */
  policies?: readonly PolicyDefinition[];
  /** Between two looks for sessions that are due, ms. Default 60_000; 0: never. A due session also ends when it is touched. */
  sweepEveryMs?: number;
  /** The clock, unix ms. Default: the system's. */
  now?: () => number;
}

/** A MACP runtime inside this process. */
export interface Runtime extends LocalRuntime, AsyncDisposable {
  readonly kernel: Kernel;
  /** Serves gRPC; in-process connections go on beside it. Rejects with `config_invalid` where that would be unsafe. */
  listen(options: ListenOptions): Promise<Listener>;
  /** Prometheus text. */
  metrics(): string;
  /** What was answered is durable. Listeners are closed at once. */
  close(): Promise<void>;
}

/** Throws `config_invalid` for options or stored sessions that cannot be used. */
export function createRuntime(options: RuntimeOptions = {}): Runtime {
  const { store = createMemoryStore(), auth, limits = {}, now = Date.now } = options;
  const { maxPayloadBytes = defaultMaxPayloadBytes } = limits;
  const { sessionRetentionMs, diskRetentionMs } = limits;
  const kernel = createKernel({
    store,
    clock: now,
    limits: {
      maxPayloadBytes,
      ...(sessionRetentionMs === undefined ? {} : { retentionMs: sessionRetentionMs }),
      ...(diskRetentionMs === undefined ? {} : { diskRetentionMs }),
    },
  });
  preload(kernel, options.policies ?? []);
  const counters = createCounters(kernel);
  const service = createService({
    kernel,
    authenticate: createAuthentication(auth, now),
    admission: {
      starts: createRateLimit(limits.sessionStartsPerMinute ?? Infinity, now),
      messages: createRateLimit(limits.messagesPerMinute ?? Infinity, now),
    },
    counters,
    now,
    policiesReadOnly: options.policies !== undefined,
    policiesGuarded: auth !== undefined,
    listPageSize: limits.listPageSize,
    listMaxPageSize: limits.listMaxPageSize ?? 1_000,
  });
  const listeners = new Set<Listener>();
  const timer = sweeping(kernel, options.sweepEveryMs ?? 60_000);
  const runtime: Runtime = {
    kernel,
    connect: () => createInProcessTransport(service),
    async listen(listening) {
      const { listen } = await import("./listen.ts");
      const listener = await listen(service, {
        ...listening,
        guarded: auth !== undefined,
        maxPayloadBytes,
      });
      listeners.add(listener);
      return listener;
    },
    metrics: counters.render,
    async close() {
      clearInterval(timer);
      await Promise.all([...listeners].map(async (listener) => listener.close()));
      await kernel.close();
    },
    [Symbol.asyncDispose]: async () => runtime.close(),
  };
  return runtime;
}

function preload(kernel: Kernel, policies: readonly PolicyDefinition[]): void {
  for (const policy of policies) {
    const registered = kernel.policies.register(toPolicyDescriptor(policy));
    if (registered.ok) continue;
    throw new AgentKeysError("config_invalid", `policy '${policy.policyId}': ${registered.error}`);
  }
}

/** Never keeps the process alive. */
function sweeping(kernel: Kernel, every: number): NodeJS.Timeout | undefined {
  return every === 0 ? undefined : setInterval(() => kernel.sweep(), every).unref();
}
