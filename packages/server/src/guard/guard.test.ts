import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { openSqliteStore } from "../sqlite/sqlite-store.ts";
import type { Store } from "../store/store.ts";
import {
  actor,
  foreign,
  type Harness,
  open,
  operator,
  other,
  type RpcAnswer,
} from "../testdata/harness.test-kit.ts";

const digest = `0x${"d1".repeat(32)}`;

function beginOf(changes: Record<string, unknown> = {}) {
  return {
    actor,
    operator_omni: operator,
    begin_id: randomUUID(),
    call_id: "call-1",
    tool: "order_food",
    scope: "payment.spend",
    params: { amount_rmb: 200 },
    input_digest: digest,
    ...changes,
  };
}

async function begin({ rpc }: Harness, params: object) {
  const answer = await rpc("guard/begin", params);
  return answer.result as Record<string, string>;
}

function end({ rpc }: Harness, params: object): Promise<RpcAnswer> {
  return rpc("guard/end", { actor, ...params });
}

test("an accepted call: intent, then outcome, paired by the intent's hash", async () => {
  const harness = await open();
  const request = beginOf({ run_key: "run-1", clear: { dish: "noodles" } });
  const begun = await begin(harness, request);
  const [intent] = await harness.records();
  expect(begun).toEqual({
    verdict: "accept",
    scope: "payment.spend",
    reason: "within_daily_cap",
    explanation: "amount 200 ≤ daily cap 500",
    ticket: expect.any(String) as string,
    envelope_hash: intent?.hash,
  });
  expect(intent).toMatchObject({ op: "guard.intent", result: 0, actor, operator });
  expect(intent?.body).toEqual({
    tool: "order_food",
    call_id: "call-1",
    run_key: "run-1",
    scope: "payment.spend",
    verdict: "accept",
    reason: "within_daily_cap",
    input_digest: digest,
    clear: { dish: "noodles" },
  });
  const ended = await end(harness, { ticket: begun["ticket"], outcome: "ok" });
  const [, outcome] = await harness.records();
  expect(ended.result).toEqual({ ok: true, envelope_hash: outcome?.hash });
  expect(outcome).toMatchObject({ op: "runtime.tool_result", result: 0, actor, operator });
  const pair = { tool: "order_food", call_id: "call-1", intent: intent?.hash };
  expect(outcome?.body).toEqual({ ...pair, is_error: false, outcome: "ok" });
});

test.each([
  ["ok", 0, false],
  ["error", 1, true],
  ["aborted", 1, true],
  ["not_run", 0, false],
  ["suspended", 0, false],
])("outcome %s has result %i", async (outcome, result, is_error) => {
  const harness = await open();
  const { ticket } = await begin(harness, beginOf());
  await end(harness, { ticket, outcome });
  const [, row] = await harness.records();
  expect(row).toMatchObject({ result, body: { outcome, is_error } });
});

test.each([
  [600, "deny", "daily_spend_cap_exceeded"],
  [400, "ask_parent", "above_ask_threshold"],
])(
  "¥%i is %s: written as not permitted, and no outcome follows",
  async (amount_rmb, verdict, reason) => {
    const harness = await open();
    const begun = await begin(harness, beginOf({ params: { amount_rmb } }));
    expect(begun).toMatchObject({ verdict, reason });
    expect(await harness.records()).toMatchObject([
      { op: "guard.intent", result: 2, body: { verdict, reason } },
    ]);
    const { error } = await end(harness, { ticket: begun["ticket"], outcome: "ok" });
    expect(error).toMatchObject({ code: -32000, data: { code: "conflict" } });
    expect(await harness.records()).toHaveLength(1);
  },
);

describe("a begin", () => {
  test("repeated gets the same answer and writes nothing; with another body it is a conflict", async () => {
    const harness = await open();
    const request = beginOf();
    const answers = await Promise.all([begin(harness, request), begin(harness, request)]);
    expect(answers[1]).toEqual(answers[0]);
    expect(await harness.records()).toHaveLength(1);
    const changed = { ...request, params: { amount_rmb: 200.5 } };
    const { error } = await harness.rpc("guard/begin", changed);
    expect(error).toMatchObject({ code: -32000, data: { code: "conflict" } });
    expect(await harness.records()).toHaveLength(1);
  });

  test("is one per begin_id and never per call id", async () => {
    const harness = await open();
    const [first, second] = [await begin(harness, beginOf()), await begin(harness, beginOf())];
    expect(second["ticket"]).not.toBe(first["ticket"]);
    expect(await harness.records()).toHaveLength(2);
  });

  test("that another actor made cannot be taken over or ended", async () => {
    const harness = await open();
    const request = beginOf();
    const { ticket } = await begin(harness, request);
    const stolen = await harness.rpc(
      "guard/begin",
      { ...request, actor: other, params: {} },
      { as: other },
    );
    expect(stolen.error).toMatchObject({ data: { code: "conflict" } });
    const ended = await harness.rpc(
      "guard/end",
      { actor: other, ticket, outcome: "ok" },
      { as: other },
    );
    expect(ended.error).toMatchObject({ data: { code: "not_found" } });
    expect(await harness.records()).toHaveLength(1);
  });

  test("refused by the client is written as it is told, and nothing is evaluated", async () => {
    const harness = await open();
    const refused = { reason: "not_mapped", explanation: "no row for tool x" };
    const request = beginOf({ tool: "x", scope: null, input_digest: null, params: {}, refused });
    expect(await begin(harness, request)).toMatchObject({
      verdict: "deny",
      scope: null,
      ...refused,
    });
    const body = {
      tool: "x",
      scope: null,
      verdict: "deny",
      reason: "not_mapped",
      input_digest: null,
    };
    expect(await harness.records()).toMatchObject([{ op: "guard.intent", result: 2, body }]);
  });

  test("needs no scope for those of our own tools that have none, and for no other", async () => {
    const harness = await open();
    for (const tool of ["agentkeys_identity_whoami", "agentkeys.audit.append"]) {
      expect(await begin(harness, beginOf({ tool, scope: null }))).toMatchObject({
        verdict: "accept",
        scope: null,
      });
    }
    for (const tool of ["order_food", "agentkeys_memory_get", "x_identity_whoami"]) {
      const { error } = await harness.rpc("guard/begin", beginOf({ tool, scope: null }));
      expect(error).toEqual({ code: -32602, message: "missing `scope`" });
    }
    expect(await harness.records()).toHaveLength(2);
  });

  test.each([
    [{ actor: undefined }, "missing `actor`"],
    [{ begin_id: undefined }, "missing `begin_id`"],
    [{ begin_id: "7" }, "begin_id must be a UUID"],
    [{ call_id: 7 }, "missing `call_id`"],
    [{ tool: undefined }, "missing `tool`"],
    [{ scope: undefined }, "missing `scope`"],
    [{ input_digest: null }, "missing `input_digest`"],
    [{ input_digest: "0xab" }, "input_digest must be 0x and 64 hex digits"],
    [{ params: [] }, "params must be an object"],
    [{ clear: 7 }, "clear must be an object"],
    [{ refused: {} }, "missing `refused.reason`"],
  ])("with %j is refused and writes nothing", async (change, message) => {
    const harness = await open();
    const { error } = await harness.rpc("guard/begin", beginOf(change));
    expect(error).toEqual({ code: -32602, message });
    expect(await harness.records()).toEqual([]);
  });

  test("for another actor or another operator than the caller's is refused", async () => {
    const harness = await open();
    expect((await harness.rpc("guard/begin", beginOf({ actor: other }))).error?.message).toMatch(
      /^actor mismatch: /,
    );
    expect(
      (await harness.rpc("guard/begin", beginOf({ operator_omni: other }))).error,
    ).toMatchObject({ code: -32003 });
    expect(await harness.records()).toEqual([]);
  });
});

describe("an end", () => {
  test("repeated is answered again; with another outcome it is a conflict", async () => {
    const harness = await open();
    const { ticket } = await begin(harness, beginOf());
    const first = await end(harness, { ticket, outcome: "ok" });
    expect(await end(harness, { begin_id: ticket, outcome: "ok" })).toEqual(first);
    expect((await end(harness, { ticket, outcome: "error" })).error).toMatchObject({
      data: { code: "conflict" },
    });
    expect(await harness.records()).toHaveLength(2);
  });

  test("after suspensions is the one other", async () => {
    const harness = await open();
    const { ticket } = await begin(harness, beginOf());
    for (const outcome of ["suspended", "ok"]) await end(harness, { ticket, outcome });
    const rows = (await harness.records()).slice(1);
    expect(rows.map(({ body }) => body["outcome"])).toEqual(["suspended", "ok"]);
  });

  test("of nothing is not found", async () => {
    const harness = await open();
    const { error } = await end(harness, { ticket: randomUUID(), outcome: "ok" });
    expect(error).toMatchObject({ code: -32000, data: { code: "not_found" } });
  });

  test("that comes before its begin denies it, and nothing is written", async () => {
    const harness = await open();
    const request = beginOf();
    await end(harness, { begin_id: request.begin_id, outcome: "not_run" });
    expect(await begin(harness, request)).toMatchObject({
      verdict: "deny",
      reason: "ended_before_begin",
    });
    expect(await harness.records()).toEqual([]);
  });

  test("of what can never begin is not remembered", async () => {
    const store = await openSqliteStore({ data: ":memory:" });
    const remembered: string[] = [];
    const endBeforeBegin: Store["endBeforeBegin"] = (begin_id, by) => {
      remembered.push(begin_id);
      return store.endBeforeBegin(begin_id, by);
    };
    const harness = await open({ store: { ...store, endBeforeBegin } });
    const possible = randomUUID();
    for (const begin_id of ["x".repeat(100_000), "", possible]) {
      const { error } = await end(harness, { begin_id, outcome: "not_run" });
      expect(error).toMatchObject({ data: { code: "not_found" } });
    }
    expect(remembered).toEqual([possible]);
  });

  test("sent at the same moment as its begin leaves no call open", async () => {
    const harness = await open();
    const request = beginOf();
    const [begun] = await Promise.all([
      begin(harness, request),
      end(harness, { begin_id: request.begin_id, outcome: "not_run" }),
    ]);
    const rows = (await harness.records()).map(({ op }) => op);
    expect(rows).toEqual(
      begun["verdict"] === "deny" ? [] : ["guard.intent", "runtime.tool_result"],
    );
  });

  test.each([
    [{ outcome: "maybe" }, "unknown outcome `maybe`"],
    [{ outcome: undefined }, "missing `outcome`"],
    [{ ticket: undefined }, "missing `ticket`"],
  ])("with %j is refused", async (change, message) => {
    const harness = await open();
    const { error } = await end(harness, { ticket: randomUUID(), outcome: "ok", ...change });
    expect(error).toEqual({ code: -32602, message });
  });
});

test("v1 knows neither", async () => {
  const { rpc } = await open({ surface: "v1", bare: true });
  const none = async (method: string) => (await rpc(method, beginOf())).error;
  expect(await none("guard/begin")).toEqual({
    code: -32601,
    message: "method not found: guard/begin",
  });
  expect(await none("guard/end")).toEqual({ code: -32601, message: "method not found: guard/end" });
});

test("a vendor cannot begin for another vendor's actor", async () => {
  const { rpc } = await open();
  const { status, error } = await rpc("guard/begin", beginOf({ actor: foreign }), { as: foreign });
  expect(status).toBe(403);
  expect(error).toMatchObject({ code: -32003 });
});
