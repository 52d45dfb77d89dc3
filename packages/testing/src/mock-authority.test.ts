import { createClient, createGuard, type Guard } from "@agentkeys/core";
import { expect, test } from "vitest";
import { mockAuthority, type MockAuthority, type MockAuthorityOptions } from "./mock-authority.ts";
import "./vitest.ts";

const guardOf = (authority: MockAuthority, timeoutMs = 5000): Guard =>
  createGuard({
    client: authority.client({ timeoutMs }),
    tools: {
      search_web: { scope: "web.search" },
      order_food: { scope: "payment.spend", params: (i) => ({ amount_rmb: i["price"] }) },
    },
  });

/** What ran, beside what the guard said. */
async function attempt(guard: Guard, tool = "search_web", input: object = { query: "q" }) {
  const ran: unknown[] = [];
  const outcome = await guard.run({ tool, input, callId: "c1" }, (given) => {
    ran.push(given);
    return "done";
  });
  return { ran: ran.length, ...outcome };
}

const reasonOf = async (options: MockAuthorityOptions, timeoutMs?: number) => {
  await using authority = await mockAuthority(options);
  const answer = await attempt(guardOf(authority, timeoutMs));
  return [answer.ran, answer.status === "ran" ? "ran" : answer.reason];
};

test("everything that no option names is allowed and recorded", async () => {
  await using authority = await mockAuthority();
  const client = authority.client();
  expect((await attempt(guardOf(authority))).ran).toBe(1);
  await client.memory.put({ namespace: "travel", content: "Chengdu" });
  expect(await client.memory.get({ namespace: "travel" })).toMatchObject({ content: "Chengdu" });
  await client.cred.store({ service: "openrouter", content: "sk-canary" });
  expect(authority.log().map(({ seq, kind }) => [seq, kind])).toEqual([
    [1, "guard.intent"],
    [2, "runtime.tool_result"],
    [3, "memory.put"],
    [4, "memory.get"],
    [5, "cred.store"],
  ]);
  expect(authority).toHaveRecorded({ tool: "search_web", verdict: "accept", call_id: "c1" });
  expect(authority).toHaveRecorded({ tool: "search_web", outcome: "ok" });
});

test("a denied scope is denied and the rest is not; a rule of the actor's counts", async () => {
  const scopes = { "payment.spend": { currency: "RMB", per_call: 500 } };
  await using authority = await mockAuthority({ deny: ["web.search"], actor: { scopes } });
  const guard = guardOf(authority);
  expect(await attempt(guard)).toMatchObject({ ran: 0, reason: "scope_forbidden" });
  expect((await attempt(guard, "order_food", { price: 500 })).ran).toBe(1);
  expect(await attempt(guard, "order_food", { price: 600 })).toMatchObject({
    ran: 0,
    reason: "daily_spend_cap_exceeded",
  });
  expect(authority.log()).toHaveDenied("search_web");
  expect(authority.log()).toHaveDenied({ tool: "order_food", reason: "daily_spend_cap_exceeded" });
  expect(authority.log()).not.toHaveDenied({ tool: "order_food", reason: "scope_forbidden" });
});

const waiting = (authority: MockAuthority): Guard =>
  createGuard({
    client: authority.client(),
    tools: { search_web: { scope: "web.search" } },
    approval: { waitMs: 5000 },
  });

test("a scope of which each use asks: nothing runs unless a person says so", async () => {
  await using authority = await mockAuthority({ ask: ["web.search"] });
  expect(await attempt(guardOf(authority))).toMatchObject({ ran: 0, status: "asked" });
  expect(authority).toHaveRecorded({ tool: "search_web", verdict: "ask_parent" });
  expect(authority).not.toHaveDenied("search_web");
});

test("a person who says yes to everything, and one who says no", async () => {
  await using authority = await mockAuthority({ ask: ["web.search"] });
  const guard = waiting(authority);
  {
    await using _ = authority.approveAll("go ahead");
    expect((await attempt(guard)).ran).toBe(1);
    expect((await attempt(guard, "search_web", { query: "more" })).ran).toBe(1);
  }
  authority.denyAll("not today");
  const denied = await attempt(guard, "search_web", { query: "other" });
  expect(denied).toMatchObject({ ran: 0, reason: "approval_denied" });
  const decided = authority.log().filter(({ kind }) => kind === "runtime.approval");
  expect(decided.map(({ outcome }) => outcome)).toEqual(["approved", "approved", "denied"]);
});

test("a scope in both lists is denied", async () => {
  const scopes = ["web.search"];
  expect(await reasonOf({ ask: scopes, deny: scopes })).toEqual([0, "scope_forbidden"]);
});

test("revoked after one call: that one keeps its outcome, the next is refused", async () => {
  await using authority = await mockAuthority({ revokedMidRun: 1 });
  const guard = guardOf(authority);
  expect((await attempt(guard)).ran).toBe(1);
  expect(await attempt(guard)).toMatchObject({ ran: 0, reason: "actor_revoked" });
  expect(authority.log().map(({ kind, result }) => [kind, result])).toEqual([
    ["guard.intent", 0],
    ["scope.revoke", 0],
    ["runtime.tool_result", 0],
    ["guard.intent", 2],
  ]);
});

test("revoked before the first call, and by hand", async () => {
  expect(await reasonOf({ revokedMidRun: 0 })).toEqual([0, "actor_revoked"]);
  await using authority = await mockAuthority();
  const guard = guardOf(authority);
  await authority.revoke("lost phone");
  expect(await attempt(guard)).toMatchObject({ ran: 0, reason: "actor_revoked" });
  expect(authority).toHaveRecorded({ kind: "scope.revoke", op_body: { reason: "lost phone" } });
});

test("no record, no call; the record may come back", async () => {
  await using authority = await mockAuthority({ auditDown: true });
  const guard = guardOf(authority);
  expect(await attempt(guard)).toMatchObject({ ran: 0, code: "audit_unavailable" });
  expect(authority.log()).toEqual([]);
  authority.set({ auditDown: false });
  expect((await attempt(guard)).ran).toBe(1);
  authority.set({ auditDown: true });
  expect((await attempt(guard)).ran).toBe(0);
  expect(authority.log()).toHaveLength(2);
});

test.each([
  ["a record that is never answered", { auditDown: "hangs" }, "authority_unavailable"],
  ["an authority that answers too late", { latencyMs: 100 }, "authority_unavailable"],
  ["an authority that hangs", { fault: "hangs" }, "authority_unavailable"],
  ["an authority that is down", { fault: "down" }, "authority_unavailable"],
  ["an answer that is cut", { fault: "cut" }, "authority_unavailable"],
  ["an answer of somebody else's", { fault: "garbage" }, "authority_unavailable"],
  ["a server error", { fault: "error 500" }, "authority_unavailable"],
  ["half an answer", { fault: "half an answer" }, "authority_unavailable"],
] as const)("%s is a denial within the deadline", async (_, options, reason) => {
  expect(await reasonOf(options, 60)).toEqual([0, reason]);
});

test("a verdict that nobody knows is a denial", async () => {
  expect((await reasonOf({ fault: "unknown verdict" }))[0]).toBe(0);
});

test("an authority that is slow and not late is waited for", async () => {
  expect(await reasonOf({ latencyMs: 20 })).toEqual([1, "ran"]);
});

test("the authority's clock is its own", async () => {
  const hour = 3_600_000;
  await using authority = await mockAuthority({ clockSkewMs: -hour });
  const client = authority.client();
  const mint = async () => {
    const { cap } = await client.cap.mint({
      op: "memory_get",
      params: { service: "memory:travel" },
      ttl: 60,
    });
    return cap;
  };
  const cap = await mint();
  expect(cap.payload.expires_at).toBeLessThan(Date.now() / 1000 - 3000);
  // Good by the authority's clock, until that moves.
  expect(await client.memory.get({ namespace: "travel", cap }).catch(codeOf)).toBe("not_found");
  authority.set({ clockSkewMs: 0 });
  expect(await client.memory.get({ namespace: "travel", cap }).catch(codeOf)).toBe("cap_expired");
});

const codeOf = (error: { code: string }): string => error.code;

test("the same over a socket, found through the variables of a process", async () => {
  await using authority = await mockAuthority({ deny: ["web.search"] });
  const variables = await authority.env();
  expect(variables["AGENTKEYS_MCP_URL"]).toBe(await authority.url());
  await using client = createClient({ url: await authority.url(), ...authority.identity });
  const guard = createGuard({ client, tools: { search_web: { scope: "web.search" } } });
  expect((await attempt(guard)).ran).toBe(0);
  expect(authority.log()).toHaveDenied("search_web");
  expect(Object.values(authority.identity)).toEqual(
    expect.arrayContaining(Object.values(variables).slice(1)),
  );
});

test("closing ends what hangs", async () => {
  const authority = await mockAuthority({ auditDown: "hangs" });
  const pending = attempt(guardOf(authority));
  await new Promise((done) => setImmediate(done));
  await authority.close();
  expect(await pending).toMatchObject({ ran: 0 });
});
