import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, onTestFinished, test } from "vitest";
import { openSqliteStore } from "../sqlite/sqlite-store.ts";
import type { Store } from "../store/store.ts";
import { approved, begin, call, decide, end, handClock } from "../testdata/approvals.test-kit.ts";
import { actor, type Harness, open } from "../testdata/harness.test-kit.ts";

/** What is allowed without a question. */
const small = (changes: object = {}) => call({ params: { amount_rmb: 200 }, ...changes });

describe("the same call met again", () => {
  test("before its outcome is known is denied, but where it is safe to run twice", async () => {
    const harness = await open();
    await begin(harness, small());
    const again = await begin(harness, small());
    expect(again).toMatchObject({ verdict: "deny", reason: "outcome_unknown" });
    const safe = await begin(harness, small({ idempotent: true }));
    expect(safe).toMatchObject({ verdict: "accept", reason: "within_daily_cap" });
  });

  test.each([
    ["ok", { dish: "noodles", price: 1.5, none: null }],
    ["error", "it broke"],
    ["aborted", null],
  ])("after %s gets the stored result, and nothing is written or runs", async (outcome, result) => {
    const harness = await open();
    await end(harness, await begin(harness, small()), { outcome, result });
    const again = await begin(harness, small());
    expect(again).toMatchObject({
      verdict: "accept",
      reason: "already_executed",
      ticket: "",
      executed: { outcome, result },
    });
    expect(await harness.records()).toHaveLength(2);
  });

  test.each([
    ["no result", {}],
    ["one of more than 256 KiB", { result: "x".repeat(256 << 10) }],
  ])("after an end with %s is denied", async (_, more) => {
    const harness = await open();
    await end(harness, await begin(harness, small()), more);
    expect(await begin(harness, small())).toMatchObject({
      verdict: "deny",
      reason: "already_executed",
    });
  });

  test("after it failed runs again only where that is safe and no result is kept", async () => {
    const harness = await open();
    for (const outcome of ["error", "aborted"]) {
      await end(harness, await begin(harness, small({ call_id: outcome })), { outcome });
      const again = small({ call_id: outcome });
      expect((await begin(harness, again)).reason).toBe("already_executed");
      const safe = await begin(harness, small({ call_id: outcome, idempotent: true }));
      expect(safe).toMatchObject({ verdict: "accept", reason: "within_daily_cap" });
      await end(harness, safe, { outcome, result: "why" });
      const kept = await begin(harness, small({ call_id: outcome, idempotent: true }));
      expect(kept).toMatchObject({ executed: { outcome, result: "why" } });
    }
    const done = small({ call_id: "done", idempotent: true });
    await end(harness, await begin(harness, done));
    const twice = await begin(harness, small({ call_id: "done", idempotent: true }));
    expect(twice.reason).toBe("already_executed");
  });

  test("after it was not run begins anew, on the same grant where it had one", async () => {
    const harness = await open();
    for (const changes of [{ params: { amount_rmb: 200 } }, { call_id: "call-2" }]) {
      if ("call_id" in changes) await approved(harness, changes);
      for (const outcome of ["not_run", "not_run", "ok"]) {
        const begun = await begin(harness, call(changes));
        expect(begun.verdict).toBe("accept");
        await end(harness, begun, { outcome });
      }
      expect((await begin(harness, call(changes))).reason).toBe("already_executed");
    }
  });

  test("while suspended goes on, without another question and after the grant's time too", async () => {
    const { clock, pass } = handClock();
    const harness = await open({ clock });
    for (const run_key of ["thread-1", undefined]) {
      const { id } = await approved(harness, { run_key });
      for (const outcome of ["suspended", "suspended", "ok"]) {
        const begun = await begin(harness, call({ run_key }));
        expect(begun).toMatchObject({ verdict: "accept", approval: { id } });
        await end(harness, begun, { outcome });
        pass(800);
      }
      const again = await begin(harness, call({ run_key }));
      expect(again.verdict).toBe(run_key === undefined ? "ask_parent" : "deny");
    }
  });

  test("without a run key is decided anew; on a grant it is known until that would expire", async () => {
    const { clock, pass } = handClock();
    const harness = await open({ clock });
    const free = small({ run_key: undefined });
    await end(harness, await begin(harness, { ...free }), { result: 1 });
    expect(await begin(harness, small({ run_key: undefined }))).toMatchObject({
      verdict: "accept",
      reason: "within_daily_cap",
    });
    const asked = { call_id: "call-2", run_key: undefined };
    await approved(harness, asked);
    await end(harness, await begin(harness, call(asked)), { result: "eaten" });
    expect(await begin(harness, call(asked))).toMatchObject({ executed: { result: "eaten" } });
    // The row may have changed its mind: what was executed on a grant is known all the same.
    const cheaper = { ...asked, params: { amount_rmb: 200 } };
    expect(await begin(harness, call(cheaper))).toMatchObject({ executed: { result: "eaten" } });
    pass(900);
    expect((await begin(harness, call(asked))).verdict).toBe("ask_parent");
  });

  test("is denied where the policy denies it now, whatever it gave before", async () => {
    const harness = await open();
    await end(harness, await begin(harness, small()), { result: "secret" });
    expect(await begin(harness, call({ params: { amount_rmb: 600 } }))).toMatchObject({
      verdict: "deny",
      reason: "daily_spend_cap_exceeded",
    });
  });

  test("by another actor, or in another run, is another one", async () => {
    const harness = await open();
    await end(harness, await begin(harness, small()), { result: 1 });
    const begun = await begin(harness, small({ run_key: "thread-2" }));
    expect(begun).toMatchObject({ verdict: "accept", reason: "within_daily_cap" });
  });
});

describe("a stored result", () => {
  const forget = (harness: Harness, run_key: string) =>
    harness.rpc("guard/forget", { actor, run_key });

  test("is forgotten on request, with the run's others alone; the call stays known", async () => {
    const harness = await open();
    for (const run_key of ["thread-1", "thread-2"]) {
      for (const call_id of ["a", "b"]) {
        const begun = await begin(harness, small({ run_key, call_id }));
        await end(harness, begun, { result: call_id });
      }
    }
    expect((await forget(harness, "thread-1")).result).toEqual({ ok: true, forgotten: 2 });
    const gone = await begin(harness, small({ call_id: "a" }));
    expect(gone).toMatchObject({ verdict: "deny", reason: "already_executed" });
    const kept = await begin(harness, small({ run_key: "thread-2", call_id: "a" }));
    expect(kept).toMatchObject({ executed: { result: "a" } });
  });

  test("lies on the disk encrypted, and is gone from it after 24 hours", async () => {
    const data = mkdtempSync(join(tmpdir(), "agentkeys-"));
    onTestFinished(() => rmSync(data, { recursive: true }));
    const { clock, pass } = handClock();
    const harness = await open({ data, clock });
    const { approval } = await begin(
      harness,
      call({ call_id: "asked", describe: "canary-text", input: { at: "canary-input" } }),
    );
    const params = { amount_rmb: 200, note: "canary-params" };
    await end(harness, await begin(harness, small({ params })), { result: "canary-result" });
    const bytes = () =>
      ["authority.db", "authority.db-wal"].map((name) => readFileSync(join(data, name))).join("");
    expect(bytes()).toContain(approval.id);
    expect(bytes()).not.toContain("canary");
    pass(86_399);
    expect(await begin(harness, small())).toMatchObject({ executed: { result: "canary-result" } });
    pass(1);
    expect((await begin(harness, small())).reason).toBe("already_executed");
    await harness.authority.close();
    const reopened = await open({ data, clock });
    await end(reopened, await begin(reopened, small({ call_id: "b" })), { result: 2 });
    await reopened.authority.close();
    const database = new DatabaseSync(join(data, "authority.db"), { readOnly: true });
    onTestFinished(() => database.close());
    const rows = database.prepare("SELECT count(*) AS n FROM call_results").get();
    expect(rows).toMatchObject({ n: 1 });
  });

  test("is kept once: a repeated end changes nothing", async () => {
    const harness = await open();
    const begun = await begin(harness, small());
    await end(harness, begun, { result: "first" });
    await end(harness, begun, { result: "second" });
    expect(await begin(harness, small())).toMatchObject({ executed: { result: "first" } });
  });
});

test("grants and questions outlive a restart; other rules void them, and deny wins", async () => {
  const data = mkdtempSync(join(tmpdir(), "agentkeys-"));
  onTestFinished(() => rmSync(data, { recursive: true }));
  const config = (scope: unknown) => ({
    vendors: { magiclick: { token: "value:demo-tok" } },
    operators: { [actor]: { token: "value:operator-tok" } },
    actors: { [actor]: { operator: actor, scopes: { "payment.spend": scope } } },
  });
  const asking = config({ currency: "RMB", per_call: 500, ask_above: 300 });
  const start = async (settings: object) => open({ data, config: settings as never });
  const mine = (changes: object = {}) => call({ operator_omni: actor, ...changes });

  const first = await start(asking);
  await approved(first, mine({ call_id: "granted" }));
  await approved(first, mine({ call_id: "other" }));
  await approved(first, mine({ call_id: "third" }));
  const { approval } = await begin(first, mine({ call_id: "pending" }));
  await first.authority.close();

  const second = await start(asking);
  expect((await begin(second, mine({ call_id: "granted" }))).reason).toBe("approved");
  expect((await begin(second, mine({ call_id: "pending" }))).approval.id).toBe(approval.id);
  await decide(second, "approve", approval);
  const waiting = await begin(second, mine({ call_id: "waiting" }));
  await second.authority.close();

  const stricter = await start(config({ currency: "RMB", per_call: 500, ask_above: 200 }));
  const old = await decide(stricter, "approve", waiting.approval);
  expect(old).toMatchObject({ status: 409, reason: "conflict" });
  expect((await decide(stricter, "deny", waiting.approval)).status).toBe(200);
  const anew = await begin(stricter, mine({ call_id: "pending" }));
  expect(anew.verdict).toBe("ask_parent");
  expect(anew.approval.id).not.toBe(approval.id);
  await stricter.authority.close();

  const denying = await start(config("deny"));
  expect((await begin(denying, mine({ call_id: "other" }))).reason).toBe("scope_forbidden");
  await denying.authority.close();

  const back = await start(asking);
  expect((await begin(back, mine({ call_id: "third" }))).reason).toBe("approved");
});

test("a call is looked up only where something may be known of it, after a restart too", async () => {
  const store = await openSqliteStore({ data: ":memory:" });
  onTestFinished(() => store.close());
  const met: string[] = [];
  const meet: Store["meet"] = (attempt, plan) => {
    met.push(attempt.begin_id);
    return store.meet(attempt, plan);
  };
  const { clock, pass } = handClock();
  const env = { AGENTKEYS_MASTER_KEY: "22".repeat(32) };
  const start = () => open({ clock, env, store: { ...store, meet, close: async () => undefined } });
  const lookUps = async (harness: Harness, changes: Record<string, unknown>) => {
    const before = met.length;
    const { reason } = await begin(harness, call({ run_key: undefined, ...changes }));
    return [met.length - before, reason];
  };
  const free = { params: { amount_rmb: 200 } };

  const first = await start();
  expect(await lookUps(first, free)).toEqual([0, "within_daily_cap"]);
  expect(await lookUps(first, { params: { amount_rmb: 600 } })).toEqual([
    0,
    "daily_spend_cap_exceeded",
  ]);
  expect(await lookUps(first, { ...free, run_key: "t" })).toEqual([1, "within_daily_cap"]);
  const asked = { call_id: "asked", run_key: undefined };
  await approved(first, asked);
  await end(first, await begin(first, call(asked)));
  await first.authority.close();

  const second = await start();
  expect(await lookUps(second, { ...free, call_id: "asked" })).toEqual([1, "already_executed"]);
  expect(await lookUps(second, free)).toEqual([1, "within_daily_cap"]);
  pass(900);
  expect(await lookUps(second, free)).toEqual([0, "within_daily_cap"]);
});
