import { createClient, createGuard, type Guard } from "@agentkeys/core";
import { mockAuthority, type MockAuthority } from "@agentkeys/testing";
// #region vectors
import { decodeEnvelope, hexToBytes } from "@agentkeys/contract";
import { envelopeVectors } from "@agentkeys/testing/vectors";
// #endregion
// #region reveal
import { reveal } from "@agentkeys/contract";
// #endregion
import { expect, test, vi } from "vitest";
import "@agentkeys/testing/vitest";

const guardOf = (authority: MockAuthority): Guard =>
  createGuard({
    client: authority.client(),
    tools: { search_web: { scope: "web.search" } },
    approval: { waitMs: 5000 },
  });
const searchOf = (guard: Guard) =>
  guard.wrap("search_web", ({ query }: { query: string }) => `ten results for ${query}`);

test("the record breaks in the middle of a run, and comes back", async () => {
  // #region mid-run
  await using authority = await mockAuthority();
  const search = searchOf(guardOf(authority));

  await search({ query: "noodles" });
  authority.set({ auditDown: true });
  await expect(search({ query: "rice" })).rejects.toMatchObject({
    data: { reason: "audit_unavailable" },
  });
  authority.set({ auditDown: false });
  await search({ query: "rice" });
  // #endregion
  expect(authority.log().map(({ kind }) => kind)).toEqual([
    "guard.intent",
    "runtime.tool_result",
    "guard.intent",
    "runtime.tool_result",
  ]);
});

test("revoked in the middle of a run", async () => {
  // #region revoked
  await using authority = await mockAuthority({ revokedMidRun: 1 });
  const search = searchOf(guardOf(authority));

  await search({ query: "noodles" }); // the last call that is let through
  await expect(search({ query: "rice" })).rejects.toThrow("actor_revoked");
  // #endregion
  expect(authority).toHaveDenied({ tool: "search_web", reason: "actor_revoked" });
});

test("a person is asked", async () => {
  // #region ask
  await using authority = await mockAuthority({ ask: ["web.search"] });
  const search = searchOf(guardOf(authority)); // its guard waits: approval: { waitMs: 5000 }
  await using person = authority.approveAll("go ahead");

  expect(await search({ query: "noodles" })).toBe("ten results for noodles");
  expect(authority).toHaveRecorded({ kind: "runtime.approval", outcome: "approved" });
  // #endregion
  expect(person).toBeDefined();
});

test("a program that reads its variables", async () => {
  // #region socket
  await using authority = await mockAuthority();
  for (const [name, value] of Object.entries(await authority.env())) vi.stubEnv(name, value);

  await using client = createClient(); // as your program makes it
  await client.memory.put({ namespace: "travel", content: "Chengdu in May" });
  expect(authority).toHaveRecorded({ kind: "memory.put", op_body: { key: "memory:travel" } });
  // #endregion
  vi.unstubAllEnvs();
});

test("a decoder of your own", () => {
  const decode = (bytes: Uint8Array): unknown => decodeEnvelope(bytes);
  // #region vectors
  for (const { cbor, envelope } of envelopeVectors) {
    expect(decode(hexToBytes(cbor))).toEqual(envelope);
  }
  // #endregion
});

test("what a digest stands for", async () => {
  await using authority = await mockAuthority();
  await searchOf(guardOf(authority))({ query: "noodles" });
  // #region reveal
  const [record] = authority.log();
  expect(reveal(record?.input_digest ?? "", { query: "noodles" })).toBe(true);
  expect(reveal(record?.input_digest ?? "", { query: "rice" })).toBe(false);
  // #endregion
});
