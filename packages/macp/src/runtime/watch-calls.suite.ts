import {
  CancelSessionRequestSchema,
  ResumeSessionRequestSchema,
  SessionLifecycleEvent_EventType as EventType,
  SuspendSessionRequestSchema,
  WatchModeRegistryRequestSchema,
  WatchRootsRequestSchema,
  WatchSessionsRequestSchema,
  WatchSignalsRequestSchema,
} from "../generated/macp/v1/core_pb.ts";
import { SessionState } from "../generated/macp/v1/envelope_pb.ts";
import { WatchPoliciesRequestSchema } from "../generated/macp/v1/policy_pb.ts";
import { toEnvelope } from "../protocol/envelope.ts";
import { grpcStatus } from "../protocol/error-codes.ts";
import { newSessionId } from "../protocol/ids.ts";
import { encodeCorePayload } from "../protocol/payload.ts";
import { type Connect, reader, policy, extension } from "./testdata/calls.test-kit.ts";
import { accepted, as, commitment, proposal, signal, start } from "./testdata/messages.test-kit.ts";
import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";

export function describeWatches(connect: Connect): void {
  test("WatchSessions: one CREATED for each session, then what happens", async () => {
    const calls = await connect();
    const before = await accepted(calls, "alice", start("decision"));
    const { next } = reader(calls.watchSessions(create(WatchSessionsRequestSchema), as("carol")));
    const nextOf = async (id: string) => {
      for (;;) {
        const { event } = await next();
        if (event?.session?.sessionId === id) return event;
      }
    };
    expect(await nextOf(before)).toMatchObject({ eventType: EventType.CREATED });
    const id = await accepted(calls, "alice", start("decision"));
    const created = await nextOf(id);
    expect(created).toMatchObject({
      eventType: EventType.CREATED,
      session: { state: SessionState.OPEN, initiator: "alice" },
    });
    await calls.suspendSession(create(SuspendSessionRequestSchema, { sessionId: id }), as("alice"));
    expect(await nextOf(id)).toMatchObject({
      eventType: EventType.SUSPENDED,
      session: { state: SessionState.SUSPENDED },
    });
    await calls.resumeSession(create(ResumeSessionRequestSchema, { sessionId: id }), as("alice"));
    expect((await nextOf(id)).eventType).toBe(EventType.RESUMED);
    await accepted(calls, "alice", proposal(id));
    await accepted(calls, "alice", commitment("decision", id));
    expect(await nextOf(id)).toMatchObject({
      eventType: EventType.RESOLVED,
      session: { state: SessionState.RESOLVED },
    });
    await calls.cancelSession(
      create(CancelSessionRequestSchema, { sessionId: before }),
      as("alice"),
    );
    expect((await nextOf(before)).eventType).toBe(EventType.CANCELLED);
  });

  test("WatchSignals: Signals and Progress from now on", async () => {
    const calls = await connect();
    const watch = reader(calls.watchSignals(create(WatchSignalsRequestSchema), as("carol")));
    const payload = encodeCorePayload("Progress", { progressToken: "t" });
    const progress = toEnvelope({ messageType: "Progress", payload });
    // The subscription begins some time after the call: signals until one arrives.
    const [first] = await Promise.all([
      watch.next(),
      (async () => {
        for (let n = 0; n < 20; n++) {
          await accepted(calls, "alice", signal("note"));
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
        await accepted(calls, "alice", progress);
      })(),
    ]);
    expect(first.envelope).toMatchObject({ messageType: "Signal", sender: "alice", sessionId: "" });
    let { envelope } = first;
    while (envelope?.messageType === "Signal") ({ envelope } = await watch.next());
    expect(envelope).toMatchObject({ ...progress, sender: "alice" });
  });

  test("signals and sessions are shown to nobody without a credential", async () => {
    const calls = await connect();
    const signals = calls.watchSignals(create(WatchSignalsRequestSchema), {});
    expect(await reader(signals).status()).toBe(grpcStatus.UNAUTHENTICATED);
    const sessions = calls.watchSessions(create(WatchSessionsRequestSchema), {});
    expect(await reader(sessions).status()).toBe(grpcStatus.UNAUTHENTICATED);
  });

  test("WatchModeRegistry: a hint at once, and one for each change", async () => {
    const calls = await connect();
    const { next } = reader(calls.watchModeRegistry(create(WatchModeRegistryRequestSchema), {}));
    expect((await next()).change).toMatchObject({ registry: "modes" });
    const mode = extension();
    await calls.registerExtMode(mode, as("alice"));
    expect((await next()).change?.registry).toBe("modes");
  });

  test("WatchPolicies: all of them at once, and after each change", async () => {
    const calls = await connect();
    const { next } = reader(calls.watchPolicies(create(WatchPoliciesRequestSchema), as("alice")));
    const ids = async () => (await next()).descriptors.map(({ policyId }) => policyId);
    expect(await ids()).toContain("policy.default");
    const id = `policy.${newSessionId()}`;
    await calls.registerPolicy(policy(id), as("alice"));
    expect(await ids()).toContain(id);
  });

  test("WatchRoots: one event, then nothing", async () => {
    const calls = await connect();
    const { next } = reader(calls.watchRoots(create(WatchRootsRequestSchema), {}));
    expect((await next()).change?.observedAtUnixMs).toBeGreaterThan(0n);
  });
}
