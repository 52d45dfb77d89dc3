import { create } from "@bufbuild/protobuf";
import {
  WatchModeRegistryRequestSchema,
  WatchRootsRequestSchema,
  WatchSessionsRequestSchema,
  WatchSignalsRequestSchema,
  type WatchSignalsResponse,
} from "../generated/macp/v1/core_pb.ts";
import { WatchPoliciesRequestSchema } from "../generated/macp/v1/policy_pb.ts";
import type { Auth } from "../protocol/auth.ts";
import type { Log } from "./log.ts";
import { type PolicyInfo, toPolicyInfo } from "./policy-info.ts";
import { resumed } from "./resume.ts";
import type { Backoff } from "./retry.ts";
import { type SessionEvent, toSessionEvent } from "./session-info.ts";
import { createSessionNews } from "./session-news.ts";
import type { CallOptions, Transport } from "./transport.ts";
import { type AmbientEvent, type ChangeEvent, toAmbientEvent } from "./watch-events.ts";

export interface WatchOptions {
  auth?: Auth | undefined;
  /** Ends the iteration with its reason. Leaving the loop ends it too. */
  signal?: AbortSignal | undefined;
  /** Whether a stream that was cut is opened again. Default: true. */
  resume?: boolean | undefined;
}

/**
 * What a runtime tells without being asked. The stream opens with the call, not with the first read, and a slow reader
 * makes the runtime wait; one that falls too far behind is cut, and the stream opened again.
 */
export interface Watchers {
  /** The registry of modes changed: ask `listModes` and `listExtModes`. The first event comes at once. */
  watchModes(options?: WatchOptions): AsyncGenerator<ChangeEvent, void>;
  /** The roots changed: ask `listRoots`. The first event comes at once. */
  watchRoots(options?: WatchOptions): AsyncGenerator<ChangeEvent, void>;
  /** All policies, at once and after each change. */
  watchPolicies(options?: WatchOptions): AsyncGenerator<readonly PolicyInfo[], void>;
  /**
   * What happens to sessions, first one `CREATED` for each that is there. After a cut each session's last state is told
   * once where it changed meanwhile, and nothing is told twice.
   */
  watchSessions(options?: WatchOptions): AsyncGenerator<SessionEvent, void>;
  /** Signals and progress of everybody. A cut shows as a `gap`. */
  watchSignals(options?: WatchOptions): AsyncGenerator<AmbientEvent, void>;
}

export interface WatchersOptions {
  readonly transport: Transport;
  readonly auth: Auth | undefined;
  readonly backoff: Backoff;
  readonly closed: AbortSignal;
  readonly log: Log;
}

export function createWatchers(options: WatchersOptions): Watchers {
  const { calls } = options.transport;
  return {
    watchModes: (how) =>
      watch(options, how, {
        name: "watchModeRegistry",
        open: (call) => calls.watchModeRegistry(create(WatchModeRegistryRequestSchema), call),
        toEvent: toChange,
      }),
    watchRoots: (how) =>
      watch(options, how, {
        name: "watchRoots",
        open: (call) => calls.watchRoots(create(WatchRootsRequestSchema), call),
        toEvent: toChange,
      }),
    watchPolicies: (how) =>
      watch(options, how, {
        name: "watchPolicies",
        open: (call) => calls.watchPolicies(create(WatchPoliciesRequestSchema), call),
        toEvent: ({ descriptors }) => descriptors.map(toPolicyInfo),
      }),
    watchSessions: (how) => {
      const newsOf = createSessionNews();
      return watch(options, how, {
        name: "watchSessions",
        open: (call) => calls.watchSessions(create(WatchSessionsRequestSchema), call),
        toEvent: ({ event }) => {
          const news = event && toSessionEvent(event);
          return news && newsOf(news);
        },
      });
    },
    watchSignals: (how) =>
      watch<WatchSignalsResponse, AmbientEvent>(options, how, {
        name: "watchSignals",
        open: (call) => calls.watchSignals(create(WatchSignalsRequestSchema), call),
        toEvent: toAmbientEvent,
        cut: { type: "gap" },
      }),
  };
}

interface Watch<T, E> {
  readonly name: string;
  readonly open: (call: CallOptions) => AsyncIterable<T>;
  /** Undefined for a message that is no news. */
  readonly toEvent: (message: T) => E | undefined;
  /** What stands for an interruption. Default: nothing does. */
  readonly cut?: E;
}

function watch<T, E>(
  { auth, backoff, closed, log }: WatchersOptions,
  { auth: as = auth, signal, resume = true }: WatchOptions = {},
  { name, open, toEvent, cut }: Watch<T, E>,
): AsyncGenerator<E, void> {
  const call = { auth: as, signal };
  const steps = resumed(() => open(call), { name, backoff, resume, signal, closed, log });
  return (async function* () {
    for await (const step of steps) {
      const event = "cut" in step ? cut : toEvent(step.message);
      if (event !== undefined) yield event;
    }
  })();
}

function toChange({ change }: { change?: { observedAtUnixMs: bigint } | undefined }): ChangeEvent {
  return { observedAtMs: Number(change?.observedAtUnixMs ?? 0n) };
}
