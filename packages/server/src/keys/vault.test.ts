import { createSecretKey, randomBytes } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { openSqliteStore } from "../sqlite/sqlite-store.ts";
import type { Store } from "../store/store.ts";
import { type Address, openVault } from "./vault.ts";

const owner = `0x${"a1".repeat(32)}`;
const note: Address = { owner, kind: "memory", name: "travel" };
const masterKey = createSecretKey(randomBytes(32));
const store = await openSqliteStore({ data: ":memory:" });
const vault = await openVault(store, masterKey);
const notAuthentic = { code: "backend_error" };

test("any text comes back, sealed differently each time, 29 bytes longer", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "grapheme" }), fc.string(), async (text, name) => {
      const address = { ...note, name };
      const sealed = await vault.seal(text, address);
      expect(sealed.length).toBe(29 + Buffer.byteLength(text));
      expect(sealed[0]).toBe(2);
      expect(await vault.open(sealed, address)).toBe(text);
      expect(await vault.seal(text, address)).not.toEqual(sealed);
    }),
  );
});

test("an owner is the same in any case and with or without 0x", async () => {
  const sealed = await vault.seal("x", note);
  const upper = owner.toUpperCase().replace("0X", "0x");
  expect(await vault.open(sealed, { ...note, owner: upper })).toBe("x");
  expect(await vault.open(sealed, { ...note, owner: owner.slice(2) })).toBe("x");
});

test("a row opens nowhere but in its own place", async () => {
  const sealed = await vault.seal("Chengdu", note);
  const elsewhere: Address[] = [
    { ...note, name: "family" },
    { ...note, owner: `0x${"b2".repeat(32)}` },
    // The same associated data; only the sub-key differs.
    { ...note, kind: "credential", name: "memory:travel" },
  ];
  for (const address of elsewhere) {
    await expect(vault.open(sealed, address)).rejects.toMatchObject(notAuthentic);
  }
});

test("an altered or cut row does not open, and the error tells nothing of it", async () => {
  const text = "a secret that must not leak";
  const sealed = Buffer.from(await vault.seal(text, note));
  const bit = fc.nat(sealed.length * 8 - 1);
  await fc.assert(
    fc.asyncProperty(bit, async (at) => {
      const altered = Buffer.from(sealed);
      altered[at >> 3] = (altered[at >> 3] ?? 0) ^ (1 << (at & 7));
      const error: unknown = await vault.open(altered, note).catch((reason: unknown) => reason);
      expect(error).toMatchObject(notAuthentic);
      expect(JSON.stringify(error) + String(error)).not.toContain(text.slice(2, 10));
    }),
  );
  for (const size of [0, 1, 28, sealed.length - 1]) {
    await expect(vault.open(sealed.subarray(0, size), note)).rejects.toMatchObject(notAuthentic);
  }
});

test("another master key is refused at the start", async () => {
  const other = openVault(store, createSecretKey(randomBytes(32)));
  await expect(other).rejects.toMatchObject({ code: "config_invalid" });
  await expect(openVault(store, masterKey)).resolves.toBeDefined();
});

test("data keys are stored wrapped, one per owner, and an altered one opens nothing", async () => {
  const kept = new Map<string, Uint8Array>();
  const keys: Pick<Store, "actorKey"> = {
    actorKey: async (actor, fresh) => {
      const key = kept.get(actor) ?? fresh();
      kept.set(actor, key);
      return key;
    },
  };
  const one = await openVault(keys, masterKey);
  const sealed = await one.seal("x", note);
  expect([...kept.keys()]).toEqual(["authority", owner.slice(2)]);
  const [authority, mine] = [...kept.values()];
  // Swapped: each is bound to its owner.
  kept.set(owner.slice(2), authority ?? new Uint8Array());
  const two = await openVault(keys, masterKey);
  await expect(two.open(sealed, note)).rejects.toMatchObject(notAuthentic);
  kept.set(owner.slice(2), mine ?? new Uint8Array());
  // A failed fetch is not remembered.
  expect(await two.open(sealed, note)).toBe("x");
});

test("more owners than are kept in memory all keep their secrets", async () => {
  const owners = Array.from({ length: 1100 }, (_, i) => `0x${i.toString(16).padStart(64, "0")}`);
  const sealed = await Promise.all(owners.map((id) => vault.seal(id, { ...note, owner: id })));
  const opened = await Promise.all(
    sealed.map((blob, i) => vault.open(blob, { ...note, owner: owners[i] ?? "" })),
  );
  expect(opened).toEqual(owners);
});
