import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { approved, begin, call, decide, end, handClock } from "../testdata/approvals.test-kit.ts";
import { actor, foreign, open, other } from "../testdata/harness.test-kit.ts";

const otherDigest = `0x${"e2".repeat(32)}`;

describe("a question", () => {
  test("met again while nobody has answered is the same one, and nothing more is written", async () => {
    const harness = await open();
    const first = await begin(harness, call());
    const second = await begin(harness, call());
    expect(second).toMatchObject({
      verdict: "ask_parent",
      ticket: "",
      envelope_hash: first.envelope_hash,
      approval: { id: first.approval.id },
    });
    expect(await harness.records()).toHaveLength(1);
  });

  test("with may_ask false writes nothing and creates nothing, and an earlier one is shown", async () => {
    const harness = await open();
    const none = await begin(harness, call({ may_ask: false }));
    expect(none).toMatchObject({ verdict: "ask_parent", ticket: "", envelope_hash: null });
    expect(none).not.toHaveProperty("approval");
    expect(await harness.records()).toEqual([]);
    const { approval } = await begin(harness, call());
    const shown = await begin(harness, call({ may_ask: false }));
    expect(shown.approval.id).toBe(approval.id);
    expect(await harness.records()).toHaveLength(1);
  });

  test("repeated by the same begin_id is answered again, with the approval as it stands", async () => {
    const harness = await open();
    const request = call();
    const first = await begin(harness, request);
    await decide(harness, "approve", first.approval);
    const again = await begin(harness, request);
    expect(again).toMatchObject({ verdict: "ask_parent", ticket: first.ticket });
    expect(again.approval).toMatchObject({ id: first.approval.id, status: "approved" });
    expect(await harness.records()).toHaveLength(2);
  });

  test("is read in the client's words, and nothing in them is hidden", async () => {
    const harness = await open();
    const words = "Pay ¥400\n\u001b[2K\u202eto Bob\u200b";
    const { approval } = await begin(harness, call({ describe: words }));
    expect(approval.text).toBe("Pay ¥400\n\\u{1b}[2K\\u{202e}to Bob\\u{200b}");
    const blank = await begin(harness, call({ call_id: "call-3", describe: " \n" }));
    expect(blank.approval.text).toContain("amount_rmb: 400");
    const long = await harness.rpc("guard/begin", call({ describe: "x".repeat(4001) }));
    expect(long.error).toMatchObject({ code: -32602 });
    const params = { amount_rmb: 400, note: "n".repeat(9000) };
    const own = await begin(harness, call({ call_id: "call-2", params }));
    expect(own.approval.text.length).toBeLessThanOrEqual(4000);
    expect(own.approval.text).toMatch(/more characters are not shown$/);
  });

  test("comes with the input for the operator alone, until it is decided", async () => {
    const harness = await open();
    const input = { dish: "noodles", price: 400 };
    const { approval } = await begin(harness, call({ input }));
    expect(approval).not.toHaveProperty("input");
    const read = async (init: object) => {
      const { text } = await harness.http("GET", "/v1/approvals", init);
      const { approvals } = JSON.parse(text) as { approvals: { input?: unknown }[] };
      return approvals[0]?.input;
    };
    expect(await read({ token: "operator-tok" })).toEqual(input);
    expect(await read({ token: "demo-tok", as: actor })).toBeUndefined();
    await decide(harness, "deny", approval);
    expect(await read({ token: "operator-tok" })).toBeUndefined();
  });

  test("is one of 256 at most that an actor waits for", async () => {
    const harness = await open();
    const ask = (call_id: string) => begin(harness, call({ call_id }));
    const all = await Promise.all(Array.from({ length: 256 }, (_, i) => ask(`c${i}`)));
    expect(new Set(all.map(({ approval }) => approval.id)).size).toBe(256);
    expect(await ask("one more")).toMatchObject({
      verdict: "deny",
      reason: "too_many_pending_approvals",
    });
    await decide(harness, "deny", all[0]?.approval ?? { id: "", digest: "" });
    expect((await ask("one more")).verdict).toBe("ask_parent");
  });

  test("that a scope asks for every time", async () => {
    const config = {
      vendors: { magiclick: { token: "value:demo-tok" } },
      operators: { [other]: { token: "value:operator-tok" } },
      actors: { [actor]: { operator: other, scopes: { "web.post": "ask" } } },
      approvals: { ttl_seconds: 60 },
    };
    const harness = await open({ config });
    const request = call({ operator_omni: other, scope: "web.post", params: {} });
    const asked = await begin(harness, request);
    expect(asked).toMatchObject({ verdict: "ask_parent", reason: "approval_required" });
    expect(asked.approval.expires_at - asked.approval.created_at).toBe(60);
  });
});

describe("a client that is not sure", () => {
  const uncertain = { reason: "not_mapped", explanation: "no row for tool x" };

  test("has a person asked, without a scope too, and once", async () => {
    const harness = await open();
    const request = () => call({ tool: "x", scope: null, params: {}, uncertain });
    const asked = await begin(harness, request());
    expect(asked).toMatchObject({ verdict: "ask_parent", scope: null, ...uncertain });
    await decide(harness, "approve", asked.approval);
    expect(await begin(harness, request())).toMatchObject({ verdict: "accept", scope: null });
    expect(await begin(harness, request())).toMatchObject({ verdict: "deny" });
  });

  test("is asked about even what the policy would accept, and denied what it denies", async () => {
    const harness = await open();
    const ask = (amount_rmb: number) => begin(harness, call({ params: { amount_rmb }, uncertain }));
    expect(await ask(200)).toMatchObject({ verdict: "ask_parent", reason: "not_mapped" });
    expect(await ask(600)).toMatchObject({ verdict: "deny", reason: "daily_spend_cap_exceeded" });
  });

  test("refuses all the same when it says so", async () => {
    const harness = await open();
    const refused = { reason: "not_mapped", explanation: "no row" };
    const answer = await begin(harness, call({ scope: null, refused, uncertain }));
    expect(answer).toMatchObject({ verdict: "deny", reason: "not_mapped" });
    expect(answer).not.toHaveProperty("approval");
  });
});

describe("a grant", () => {
  test.each([
    ["another input", { input_digest: otherDigest }],
    ["another tool", { tool: "order_wine" }],
    ["another call", { call_id: "call-2" }],
    ["another run", { run_key: "thread-2" }],
    ["no run", { run_key: undefined }],
  ])("is not for %s, even when it is named: that is asked anew", async (_, change) => {
    const harness = await open();
    const { id } = await approved(harness);
    for (const more of [{}, { grant: id }]) {
      const answer = await begin(harness, call({ ...change, ...more }));
      expect(answer.verdict).toBe("ask_parent");
      expect(answer.approval.id).not.toBe(id);
    }
    expect((await begin(harness, call())).verdict).toBe("accept");
  });

  test("is not for another scope, and not for another actor", async () => {
    const harness = await open();
    const { id } = await approved(harness);
    const searched = await begin(harness, call({ scope: "web.post", grant: id }));
    expect(searched.verdict).toBe("deny");
    const mine = call({ actor: other, grant: id });
    expect((await begin(harness, mine, { as: other })).verdict).toBe("deny");
    const theirs = call({ actor: foreign, operator_omni: undefined, grant: id });
    const acme = { as: foreign, token: "acme-tok" };
    expect((await begin(harness, theirs, acme)).verdict).toBe("deny");
  });

  test("that nobody gave lets nothing run", async () => {
    const harness = await open();
    for (const grant of ["apr_000000000000000000000000", "", "*", "'; --"]) {
      expect((await begin(harness, call({ grant }))).verdict).toBe("ask_parent");
    }
  });

  test("of a call without an id is found by its name alone, and used once", async () => {
    const harness = await open();
    const nameless = () => {
      const begin_id = randomUUID();
      return call({ begin_id, call_id: begin_id, run_key: undefined });
    };
    const { id } = await approved(harness, nameless());
    expect((await begin(harness, nameless())).verdict).toBe("ask_parent");
    const edited = { ...nameless(), grant: id, input_digest: otherDigest };
    expect((await begin(harness, edited)).verdict).toBe("ask_parent");
    const ran = await begin(harness, { ...nameless(), grant: id });
    expect(ran).toMatchObject({ verdict: "accept", reason: "approved" });
    const open1 = await begin(harness, { ...nameless(), grant: id });
    expect(open1).toMatchObject({ verdict: "deny", reason: "outcome_unknown" });
    await end(harness, ran);
    const used = await begin(harness, { ...nameless(), grant: id });
    expect(used).toMatchObject({ verdict: "deny", reason: "already_executed" });
  });

  test("does not outlive its time: with a run key for good, without one it is asked anew", async () => {
    const { clock, pass } = handClock();
    const harness = await open({ clock });
    await approved(harness);
    await approved(harness, { run_key: undefined });
    pass(900);
    const answer = { verdict: "deny", reason: "approval_expired" };
    expect(await begin(harness, call())).toMatchObject(answer);
    expect((await begin(harness, call({ run_key: undefined }))).verdict).toBe("ask_parent");
  });

  test("is void where the policy denies in the meantime", async () => {
    const harness = await open();
    await approved(harness);
    const harder = await begin(harness, call({ params: { amount_rmb: 600 } }));
    expect(harder).toMatchObject({ verdict: "deny", reason: "daily_spend_cap_exceeded" });
  });
});
