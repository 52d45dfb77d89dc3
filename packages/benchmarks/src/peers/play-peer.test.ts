import { expect, test } from "vitest";
import { shapeNames } from "../matrix/shapes.ts";
import { type Peer, type PeerPlay } from "./peer.ts";
import { cellKey, playPeers } from "./play-peer.ts";
import { createPolicy, wordFor } from "./policy.ts";
import { wordOf } from "./render-peers.ts";

const nothing = { wanted: [], refused: 0, read: [], survived: true };

async function wordsOf(plays: Partial<Record<string, PeerPlay>>, records = false) {
  const all = Object.fromEntries(shapeNames.map((shape) => [shape, plays[shape] ?? (() => null)]));
  const peer = { name: "one", join: "", records, notes: {}, plays: all } as unknown as Peer;
  const cells = await playPeers([peer]);
  return Object.keys(plays).map((shape) => {
    const cell = cells.get(cellKey("one", shape as (typeof shapeNames)[number], "invoke"));
    return wordOf(cell ?? "n/a", false);
  });
}

test("a cell says what was seen, and the worst of it", async () => {
  const words = await wordsOf({
    direct: async ({ pay }) => {
      const read = ["no", pay({ price: 200 })];
      return { wanted: [200], refused: 1, read, survived: true };
    },
    parallel: async ({ pay }) => {
      pay({ price: 600 });
      return { ...nothing, survived: false };
    },
    retried: async ({ pay }) => {
      pay({ price: 200 });
      pay({ price: 200 });
      return { ...nothing, wanted: [200] };
    },
    throwing: async ({ pay }) => {
      pay({ price: 200 });
      return { ...nothing, may: [200] };
    },
    renamed: async () => ({ ...nothing, survived: false }),
    generator: async () => ({ ...nothing, wanted: [200] }),
    aborted: async () => ({ ...nothing, refused: 1, read: ["paid 200"] }),
    handoff: () => null,
  });
  expect(words).toEqual(["held", "RAN", "RAN", "held", "died", "lost", "unread", "–"]);
});

test("a peer's own record counts where it has every effect and every refusal", async () => {
  const paying =
    (...entries: boolean[]): PeerPlay =>
    async ({ pay, sink }) => {
      pay({ price: 200 });
      for (const refused of entries) await sink({ tool: "pay", refused });
      return { wanted: [200], refused: 1, read: ["no"], survived: true };
    };
  const plays = { direct: paying(false, true), retried: paying(false), renamed: paying(true) };
  expect(await wordsOf(plays, true)).toEqual(["heldᵣ", "held", "held"]);
});

test("a play that breaks is no cell", async () => {
  const broken = wordsOf({ direct: () => Promise.reject(new Error("typo")) });
  await expect(broken).rejects.toThrow("the play broke");
});

test("every peer has the one policy", async () => {
  const said = [400, 401, 500, 501, Number.NaN].map((price) => wordFor("pay", { price }));
  expect(said).toEqual(["allow", "ask", "ask", "deny", "deny"]);
  expect([wordFor("pay", {}), wordFor("settle", { price: 1 })]).toEqual(["deny", "none"]);
  const policy = createPolicy();
  policy.fault = "garbage";
  const words = { allow: 1, ask: 2, deny: 3, none: 4 };
  expect(await policy.answer("pay", { price: 1 }, words)).toContain("<html>");
});
