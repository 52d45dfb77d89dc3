import { create } from "@bufbuild/protobuf";
import {
  SessionLifecycleEvent_EventType as EventType,
  WatchModeRegistryResponseSchema,
  WatchRootsResponseSchema,
  WatchSessionsResponseSchema,
  WatchSignalsResponseSchema,
  type WatchSessionsResponse,
} from "../generated/macp/v1/core_pb.ts";
import { WatchPoliciesResponseSchema } from "../generated/macp/v1/policy_pb.ts";
import type { LifecycleEvent, LifecycleKind } from "../kernel/kernel.ts";
import { requireIdentity } from "./access.ts";
import type { Part } from "./handlers.ts";
import { toWireMetadata } from "./metadata.ts";
import { Outbox, type Downstream } from "./outbox.ts";
import type { ServiceContext } from "./service-context.ts";
import { toWireEnvelope } from "./session-stream.ts";

/** How far a receiver may be behind before its stream ends. */
const capacity = { signals: 256, sessions: 64, registries: 16 };

const eventTypes = {
  CREATED: EventType.CREATED,
  RESOLVED: EventType.RESOLVED,
  EXPIRED: EventType.EXPIRED,
  SUSPENDED: EventType.SUSPENDED,
  RESUMED: EventType.RESUMED,
  CANCELLED: EventType.CANCELLED,
} as const satisfies Readonly<Record<LifecycleKind, EventType>>;

export function watchCalls(
  context: ServiceContext,
): Part<"watchSignals" | "watchSessions" | "watchModeRegistry" | "watchPolicies" | "watchRoots"> {
  const { kernel, authenticate } = context;
  const observedAtUnixMs = (): bigint => BigInt(context.now());
  return {
    // Listening begins with the call: what happens while the caller is looked at is kept for it.
    async watchSignals(_request, from, down) {
      const out = new Outbox(down, capacity.signals);
      out.hold();
      const unwatch = kernel.watchSignals((envelope) =>
        out.push(create(WatchSignalsResponseSchema, { envelope: toWireEnvelope(envelope) })),
      );
      down.onClose(unwatch);
      await requireIdentity(authenticate, from);
      down.ready();
      out.release();
    },
    async watchSessions(_request, from, down) {
      await watchSessions(context, down, async () => requireIdentity(authenticate, from));
    },
    watchModeRegistry(_request, _from, down) {
      const out = new Outbox(down, capacity.registries);
      const push = (): void => {
        const change = { registry: "modes", observedAtUnixMs: observedAtUnixMs() };
        out.push(create(WatchModeRegistryResponseSchema, { change }));
      };
      push();
      down.onClose(kernel.modes.watch(push));
    },
    async watchPolicies(_request, from, down) {
      // Whoever may not list the policies does not get them by watching.
      if (context.policiesGuarded) await requireIdentity(authenticate, from);
      const out = new Outbox(down, capacity.registries);
      const push = (): void => {
        const descriptors = kernel.policies.list("");
        const all = { descriptors, observedAtUnixMs: observedAtUnixMs() };
        out.push(create(WatchPoliciesResponseSchema, all));
      };
      push();
      down.onClose(kernel.policies.watch(push));
    },
    watchRoots(_request, _from, down) {
      const change = { observedAtUnixMs: observedAtUnixMs() };
      new Outbox(down, capacity.registries).push(create(WatchRootsResponseSchema, { change }));
    },
  };
}

/** First one CREATED for each session there is, then what happens; nobody is told of a creation twice. */
async function watchSessions(
  { kernel }: ServiceContext,
  down: Downstream<WatchSessionsResponse>,
  authenticated: () => Promise<unknown>,
): Promise<void> {
  const out = new Outbox(down, capacity.sessions);
  let synced: Set<string> | undefined;
  const early: LifecycleEvent[] = [];
  const live = (event: LifecycleEvent): void => {
    const known = event.kind === "CREATED" && synced?.delete(event.session.sessionId) === true;
    if (!known) out.push(toResponse(event));
  };
  const unwatch = kernel.watchSessions((event) => {
    if (synced === undefined) early.push(event);
    else live(event);
  });
  down.onClose(unwatch);
  await authenticated();
  down.ready();
  const sessions = await kernel.list();
  let index = 0;
  const next = (): WatchSessionsResponse | undefined => {
    const session = sessions[index++];
    if (session === undefined) return undefined;
    return toResponse({ kind: "CREATED", session, observedAtMs: session.startedAtMs });
  };
  synced = new Set(sessions.map(({ sessionId }) => sessionId));
  out.replay(next, () => {});
  for (const event of early) live(event);
}

function toResponse({ kind, session, observedAtMs }: LifecycleEvent): WatchSessionsResponse {
  return create(WatchSessionsResponseSchema, {
    event: {
      eventType: eventTypes[kind],
      session: toWireMetadata(session),
      observedAtUnixMs: BigInt(observedAtMs),
    },
  });
}
