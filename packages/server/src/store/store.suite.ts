import { encodeEnvelope, envelopeHash } from "@agentkeys/contract";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { approvalTests } from "./approvals.suite.ts";
import { guardModelTests, guardTests } from "./guard-calls.suite.ts";
import {
  actor,
  denied,
  otherActor,
  record,
  guardCall,
  wholeLog,
  keep,
  rejection,
  type Fresh,
} from "./store-samples.suite.ts";
import type { Clock, LogEntry, Store } from "./store.ts";

/** Opens an empty store. */
export type OpenStore = (clock: Clock) => Promise<Store>;

/** Opens an empty store that outlives itself, and a way to open the same data again after it was closed. */
export type OpenDurableStore = () => Promise<{ store: Store; reopen: () => Promise<Store> }>;

/** What every implementation of the store port must do. */
export function storeSuite(name: string, open: OpenStore): void {
  const fresh = async (clock: Clock = Date.now): Promise<Store> => {
    const store = await open(clock);
    onTestFinished(() => store.close());
    return store;
  };
  describe(`store: ${name}`, () => {
    describe("log", () => logTests(fresh));
    describe("secrets and keys", () => blobTests(fresh));
    describe("caps and actors", () => revocationTests(fresh));
    describe("guarded calls", () => guardTests(fresh));
    describe("guarded calls at once", () => guardModelTests(fresh));
    describe("approvals", () => approvalTests(fresh));
    describe("close", () => closeTests(fresh));
  });
}

/** What a store whose data outlives it must do besides. */
export function durableStoreSuite(name: string, open: OpenDurableStore): void {
  describe(`durable store: ${name}`, () => reopenTests(open));
}

function logTests(fresh: Fresh): void {
  test("an entry is the canonical bytes and their keccak256", async () => {
    const store = await fresh();
    const envelope = record({ tool: "order_food", n: 1 });
    const entry = await store.append(envelope);
    const bytes = encodeEnvelope(envelope);
    expect(entry.seq).toBe(1);
    expect(entry.envelope_hash).toBe(envelopeHash(bytes));
    expect(Buffer.from(entry.bytes)).toEqual(Buffer.from(bytes));
    const { envelope_hash: hash } = entry;
    for (const form of [hash, hash.slice(2), hash.toUpperCase().replace("0X", "0x")]) {
      expect(Buffer.from((await store.envelope(form)) ?? [])).toEqual(Buffer.from(bytes));
    }
    for (const form of [`0x${"00".repeat(32)}`, "", "0x", hash.slice(0, -1), "not hex"]) {
      expect(await store.envelope(form)).toBeUndefined();
    }
  });

  test("two identical records are both kept", async () => {
    const store = await fresh();
    const [first, second] = await Promise.all([store.append(record(1)), store.append(record(1))]);
    expect(second).toEqual({ ...first, seq: 2 });
    expect(await wholeLog(store)).toEqual([first, second]);
  });

  test("a record is found among many", async () => {
    const store = await fresh();
    const bodies = Array.from({ length: 9000 }, (_, i) => i);
    const entries = await Promise.all(bodies.map((i) => store.append(record(i))));
    for (const i of [0, 2046, 2047, 2048, 4095, 8999]) {
      const hash = entries[i]?.envelope_hash ?? "";
      expect(envelopeHash((await store.envelope(hash)) ?? new Uint8Array())).toBe(hash);
    }
  });

  test("entries are read in pages", async () => {
    const store = await fresh();
    await Promise.all([1, 2, 3, 4, 5].map((n) => store.append(record(n))));
    const seqs = async (after: number, limit: number) =>
      (await store.entriesAfter(after, limit)).map((entry) => entry.seq);
    expect(await seqs(0, 2)).toEqual([1, 2]);
    expect(await seqs(2, 2)).toEqual([3, 4]);
    expect(await seqs(4, 2)).toEqual([5]);
    expect(await seqs(5, 2)).toEqual([]);
  });

  test("listeners get each batch once, in order, after it can be read", async () => {
    const store = await fresh();
    const heard: LogEntry[] = [];
    const readable: Promise<boolean>[] = [];
    const stop = store.subscribe((entries) => {
      heard.push(...entries);
      readable.push(store.envelope(entries.at(-1)?.envelope_hash ?? "").then(Boolean));
    });
    await Promise.all(Array.from({ length: 2500 }, (_, i) => store.append(record(i))));
    expect(heard).toEqual(await wholeLog(store));
    expect(await Promise.all(readable)).not.toContain(false);
    stop();
    await store.append(record("later"));
    expect(heard.length).toBe(2500);
  });

  test("sequence numbers have no gaps, whatever fails in between", async () => {
    const kinds = fc.constantFrom("append", "unencodable", "nonce twice", "memory", "ready");
    const step = fc.record({ kind: kinds, wait: fc.boolean(), body: fc.nat(5) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const store = await fresh();
        const cap = { nonce: "n", actor, expires_at: 1, revoked_at: undefined };
        await store.putCap(cap, undefined);
        const written: Promise<LogEntry>[] = [];
        const refused: Promise<unknown>[] = [];
        const probed: Promise<void>[] = [];
        for (const { kind, wait, body } of steps) {
          const last: Promise<unknown> =
            kind === "append"
              ? keep(written, store.append(record(body)))
              : kind === "memory"
                ? keep(
                    written,
                    store.putMemory(
                      { actor, namespace: "n", blob: Uint8Array.of(body) },
                      record(body),
                    ),
                  )
                : kind === "ready"
                  ? keep(probed, store.ready())
                  : keep(
                      refused,
                      rejection(
                        kind === "unencodable"
                          ? store.append(record("\ud800"))
                          : store.putCap(cap, record(body)),
                      ),
                    );
          if (wait) await last;
        }
        const entries = await Promise.all(written);
        await Promise.all(probed);
        expect(await Promise.all(refused)).not.toContain(undefined);
        expect(entries.map((entry) => entry.seq)).toEqual(entries.map((_, i) => i + 1));
        expect(await wholeLog(store)).toEqual(entries);
      }),
      { numRuns: 25 },
    );
  });
}

function blobTests(fresh: Fresh): void {
  test("a blob belongs to its owner and name; the later one stands; each change is recorded", async () => {
    const store = await fresh();
    const blob = (n: number) => Uint8Array.of(2, n);
    await store.putMemory({ actor, namespace: "travel", blob: blob(1) }, record(1, 10));
    await store.putMemory({ actor, namespace: "travel", blob: blob(2) }, record(2, 10));
    await store.putMemory({ actor, namespace: "family", blob: blob(3) }, record(3, 10));
    await store.putMemory({ actor: otherActor, namespace: "travel", blob: blob(4) }, record(4, 10));
    await store.putCredential({ owner: actor, service: "travel", blob: blob(5) }, record(5, 0));
    expect(await store.memory(actor, "travel")).toEqual(blob(2));
    expect(await store.memory(actor, "family")).toEqual(blob(3));
    expect(await store.memory(otherActor, "travel")).toEqual(blob(4));
    expect(await store.memory(actor, "Travel")).toBeUndefined();
    expect(await store.credential(actor, "travel")).toEqual(blob(5));
    expect(await store.credential(otherActor, "travel")).toBeUndefined();
    expect((await wholeLog(store)).length).toBe(5);
  });

  test("the first key of an actor wins", async () => {
    const store = await fresh();
    const key = (n: number) => () => Uint8Array.of(n);
    const racing = await Promise.all([1, 2, 3].map((n) => store.actorKey(actor, key(n))));
    expect(racing).toEqual([Uint8Array.of(1), Uint8Array.of(1), Uint8Array.of(1)]);
    expect(await store.actorKey(actor, key(4))).toEqual(Uint8Array.of(1));
    expect(await store.actorKey(otherActor, key(5))).toEqual(Uint8Array.of(5));
  });
}

function revocationTests(fresh: Fresh): void {
  test("a cap is revoked once, with one record", async () => {
    const store = await fresh();
    const cap = { nonce: "n1", actor, expires_at: 1_700_000_300, revoked_at: undefined };
    expect(await store.cap("n1")).toBeUndefined();
    await store.putCap(cap, record("mint"));
    expect(await store.cap("n1")).toEqual(cap);
    const results = await Promise.all([1, 2].map((at) => store.revokeCap("n1", at, record(at))));
    expect(results).toEqual(["revoked", "already"]);
    expect(await store.cap("n1")).toEqual({ ...cap, revoked_at: 1 });
    expect(await store.revokeCap("n2", 1, record("never"))).toBe("unknown");
    expect((await wholeLog(store)).length).toBe(2);
    await store.putCap({ ...cap, nonce: "n2" }, undefined);
    expect(await store.revokeCap("n2", 3, undefined)).toBe("revoked");
    expect((await wholeLog(store)).length).toBe(2);
  });

  test("a nonce is used once", async () => {
    const store = await fresh();
    const cap = { nonce: "n1", actor, expires_at: 1, revoked_at: undefined };
    await store.putCap(cap, undefined);
    const again = store.putCap({ ...cap, actor: otherActor }, record("again"));
    await expect(again).rejects.toMatchObject({ code: "audit_unavailable" });
    expect(await store.cap("n1")).toEqual(cap);
    expect(await wholeLog(store)).toEqual([]);
  });

  test("revoking an actor again keeps the first time, reason and record", async () => {
    const store = await fresh();
    const revoke = (at: number, reason: string) =>
      store.revokeActor({ actor, reason, at }, record(reason, 41), denied);
    const [first, second] = await Promise.all([revoke(5, "lost phone"), revoke(6, "again")]);
    const hash = envelopeHash(encodeEnvelope(record("lost phone", 41)));
    expect(first).toEqual({ revoked_at: 5, envelope_hash: hash });
    expect([second, await revoke(7, "and again")]).toEqual([first, first]);
    expect((await wholeLog(store)).length).toBe(1);
    expect(await store.revokedActors()).toEqual(
      new Map([[actor, { revoked_at: 5, reason: "lost phone" }]]),
    );
  });
}

function closeTests(fresh: Fresh): void {
  test("closing commits what was asked for and refuses the rest", async () => {
    const store = await fresh();
    const pending = Array.from({ length: 50 }, (_, i) => store.append(record(i)));
    await store.close();
    expect((await Promise.all(pending)).map((entry) => entry.seq)).toEqual(
      pending.map((_, i) => i + 1),
    );
    await store.close();
    await expect(store.append(record(1))).rejects.toMatchObject({ code: "audit_unavailable" });
    await expect(store.ready()).rejects.toMatchObject({ code: "audit_unavailable" });
    await expect(store.envelope("")).rejects.toMatchObject({ code: "authority_unavailable" });
  });
}

function reopenTests(open: OpenDurableStore): void {
  test("everything outlives the store", async () => {
    const { store, reopen } = await open();
    const cap = { nonce: "n1", actor, expires_at: 1, revoked_at: 2 };
    const row = guardCall("b1");
    await store.putMemory({ actor, namespace: "n", blob: Uint8Array.of(1) }, record(1));
    await store.putCredential({ owner: actor, service: "s", blob: Uint8Array.of(2) }, record(2));
    await store.putCap(cap, undefined);
    await store.revokeActor({ actor, reason: "r", at: 3 }, record(3), denied);
    await store.begin(row, record(4));
    await store.endBeforeBegin("b2", actor);
    await store.actorKey(actor, () => Uint8Array.of(5));
    const log = await wholeLog(store);
    await store.close();

    const again = await reopen();
    onTestFinished(() => again.close());
    expect(await wholeLog(again)).toEqual(log);
    expect(await again.memory(actor, "n")).toEqual(Uint8Array.of(1));
    expect(await again.credential(actor, "s")).toEqual(Uint8Array.of(2));
    expect(await again.cap("n1")).toEqual(cap);
    expect((await again.revokedActors()).get(actor)).toEqual({ revoked_at: 3, reason: "r" });
    expect((await again.begin(row, record(4))).kind).toBe("repeated");
    expect((await again.begin(guardCall("b2"), record(5))).kind).toBe("ended_before");
    expect(await again.actorKey(actor, () => Uint8Array.of(6))).toEqual(Uint8Array.of(5));
    expect((await again.append(record(6))).seq).toBe(log.length + 1);
  });
}
