import { describe, expect, test } from "vitest";
import { createKernel } from "../kernel/create-kernel.ts";
import { createBench, epoch, extension, policy, startEnvelope } from "../kernel/kernel.test-kit.ts";
import type { Store } from "../kernel/store.ts";
import { newSessionId } from "../protocol/ids.ts";
import { encodePayload } from "../protocol/payload.ts";

const proposal = (proposalId: string) =>
  encodePayload("decision", "Proposal", { proposalId, option: "o" });

/** What every store must do. `reopen` closes it and opens it again; a store that forgets then gives the same one back. */
export function storeSuite(open: () => { store: Store; reopen: () => Store }): void {
  const session = async () => {
    const opened = open();
    const bench = createBench({ store: opened.store });
    return { ...bench, ...(await bench.open("decision")), ...opened };
  };
  const log = (store: Store, sessionId: string) => [...store.read(sessionId)];

  test("entries come back as they were, in order", async () => {
    const { kernel, sessionId, raw, time, reopen, store: before } = await session();
    time.now += 3;
    await raw("alice", "Proposal", proposal("p1"), "m1");
    await kernel.suspend(sessionId, { by: "coordinator", reason: "why" });
    await kernel.cancel(sessionId, { by: "coordinator", reason: "why" });
    const seen = log(before, sessionId);
    const store = reopen();
    expect(log(store, sessionId)).toEqual(seen);
    expect(
      seen.map(({ index, receivedAtMs, ends }) => [index, receivedAtMs - epoch, ends]),
    ).toEqual([
      [0, 0, false],
      [1, 3, false],
      [2, 3, false],
      [3, 3, true],
    ]);
    expect(
      seen.map((entry) => (entry.kind === "incoming" ? entry.ordinal : entry.messageType)),
    ).toEqual([1, 2, "SessionSuspend", "SessionCancel"]);
    expect(seen[0]).toMatchObject({
      bound: { mode_version: "1.0.0", rules_of: "macp.mode.decision.v1" },
    });
    expect(seen[1]).not.toHaveProperty("bound");
    store.close();
  });

  test("the history begins after the ordinal that is asked for", async () => {
    const { sessionId, raw, kernel, store } = await session();
    for (const id of ["m1", "m2", "m3"]) await raw("alice", "Proposal", proposal(id), id);
    await kernel.suspend(sessionId, { by: "coordinator", reason: "" });
    const ordinals = (after: number) =>
      store.history(sessionId, after).map(({ ordinal }) => ordinal);
    expect(ordinals(0)).toEqual([1, 2, 3, 4]);
    expect(ordinals(2)).toEqual([3, 4]);
    expect(ordinals(4)).toEqual([]);
    expect(store.history(sessionId, 1)[0]?.envelope).toMatchObject({
      messageId: "m1",
      payload: proposal("m1"),
    });
    expect(store.history(newSessionId(), 0)).toEqual([]);
    expect(log(store, newSessionId())).toEqual([]);
    store.close();
  });

  test("bytes, texts and numbers of any kind", async () => {
    const { kernel, sessionId, mode, store, reopen, time } = await session();
    const envelope = {
      macpVersion: "1.0",
      mode,
      messageType: "Proposal",
      messageId: "ü 'quoted' \u{1f600}",
      sessionId,
      sender: "alice",
      timestampUnixMs: -(2n ** 63n),
      payload: proposal("p'\u{1f600}"),
    };
    expect(await kernel.send(envelope)).toMatchObject({ ok: true });
    expect(store.history(sessionId, 1)[0]?.envelope).toMatchObject(envelope);
    const again = createKernel({ store: reopen(), clock: () => time.now });
    expect(again.history(sessionId, 1)?.[0]?.envelope).toMatchObject(envelope);
    expect(await again.send(envelope)).toMatchObject({ duplicate: true });
    await again.close();
  });

  test("a session goes on where it was", async () => {
    const { kernel, sessionId, raw, commit, time, reopen } = await session();
    await raw("alice", "Proposal", proposal("p1"), "m1");
    await kernel.suspend(sessionId, { by: "coordinator", reason: "" });
    const known = await kernel.get(sessionId);
    const state = await kernel.inspect(sessionId);
    expect(await commit("coordinator", "done")).toBe("SessionNotOpen");
    time.now += 50;
    const again = createKernel({ store: reopen(), clock: () => time.now });
    expect(again.restored).toMatchObject({ sessions: 1, entries: 3, mismatches: 0 });
    expect(await again.get(sessionId)).toEqual(known);
    expect(await again.inspect(sessionId)).toEqual(state);
    expect(await again.resume(sessionId, { by: "coordinator", reason: "" })).toMatchObject({
      state: "Open",
    });
    expect(Number((await again.get(sessionId))?.expiresAtMs)).toBe(epoch + 60_050);
    await again.close();
  });

  test("a session keeps its policy and its extension mode, which nobody knows any more", async () => {
    const opened = open();
    const { kernel, time, send } = createBench({ store: opened.store });
    kernel.modes.register(extension());
    kernel.policies.register(policy({ rules: { commitment: { authority: "any_participant" } } }));
    const sessionId = newSessionId();
    const init = { sessionId, policy: "policy.test", versions: { mode: "" } };
    expect(await kernel.send(startEnvelope("ext.poll.v1", init))).toMatchObject({ ok: true });
    const answer = { mode: "ext.poll.v1", sessionId, sender: "alice", messageType: "Answer" };
    expect(await send({ ...answer, payload: Uint8Array.of(1) })).toMatchObject({ ok: true });
    const again = createKernel({ store: opened.reopen(), clock: () => time.now });
    expect(again.restored.failed).toEqual([]);
    expect(await again.get(sessionId)).toMatchObject({
      policyVersion: "policy.test",
      modeVersion: "2.0.0",
    });
    // A colleague of the initiator may still end it: the rule is the session's own.
    expect(await again.cancel(sessionId, { by: "bob", reason: "" })).toMatchObject({
      state: "Cancelled",
    });
    await again.close();
  });

  describe("sessions that are over", () => {
    test("are left out of what is read at the start once they are old, and can still be asked for", async () => {
      const { kernel, sessionId, store, raw } = await session();
      await raw("alice", "Proposal", proposal("p1"), "m1");
      expect([...store.entries(epoch)]).toHaveLength(2);
      await kernel.cancel(sessionId, { by: "coordinator", reason: "" });
      expect([...store.entries(epoch - 1)]).toHaveLength(3);
      expect([...store.entries(epoch)]).toHaveLength(0);
      expect(log(store, sessionId)).toHaveLength(3);
      store.close();
    });
    test("are those that have resolved or expired, too", async () => {
      const { kernel, open: start, store, say, commit, time } = await session();
      const overdue = await start("decision", { ttlMs: 5 });
      await say("alice", "Proposal", { proposalId: "p1", option: "o" });
      expect([...store.entries(epoch)]).toHaveLength(3);
      await commit("coordinator", "done");
      expect([...store.entries(epoch)]).toHaveLength(1);
      time.now += 6;
      await kernel.get(overdue.sessionId);
      expect([...store.entries(epoch)]).toHaveLength(0);
      store.close();
    });
    test("are forgotten when asked to, and no others", async () => {
      const { kernel, open: start, sessionId, store, time } = await session();
      const going = await start("decision");
      await kernel.cancel(sessionId, { by: "coordinator", reason: "" });
      time.now += 10;
      const late = await start("decision");
      await kernel.cancel(late.sessionId, { by: "coordinator", reason: "" });
      store.forget(epoch + 10);
      expect(log(store, sessionId)).toEqual([]);
      expect(log(store, going.sessionId)).toHaveLength(1);
      expect(log(store, late.sessionId)).toHaveLength(2);
      store.close();
    });
  });
}
