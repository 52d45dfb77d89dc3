import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ApprovalRule } from "@agentkeys/contract";
import { describe, expect, onTestFinished, test } from "vitest";
import { begin, call, decide, handClock } from "../testdata/approvals.test-kit.ts";
import {
  actor,
  type Harness,
  open,
  operator,
  otherOperator,
} from "../testdata/harness.test-kit.ts";

const otherDigest = `0x${"e2".repeat(32)}`;

/** Asks about `call-0` of `thread-1#sub` and has the answer remembered. */
async function remember(harness: Harness, match: string, holds: string): Promise<void> {
  const { approval } = await begin(harness, call({ call_id: "call-0", run_key: "thread-1#sub" }));
  const fields = { by: "alice", remember: { match, for: holds, ttl_seconds: 3600 } };
  const { status } = await decide(harness, "approve", approval, { fields });
  expect(status).toBe(200);
}

async function rules({ http }: Harness, token = "operator-tok"): Promise<ApprovalRule[]> {
  const { text } = await http("GET", "/v1/rules", { token });
  return (JSON.parse(text) as { rules: ApprovalRule[] }).rules;
}

const changes: Record<string, Record<string, unknown>> = {
  "another call of the thread": { call_id: "call-9" },
  "another call elsewhere": { call_id: "call-9", run_key: "thread-2" },
  "another call of no thread": { call_id: "call-9", run_key: undefined },
  "another input in the thread": { call_id: "call-9", input_digest: otherDigest },
  "another input elsewhere": { run_key: "thread-2", input_digest: otherDigest },
  "another thread whose name begins alike": { run_key: "thread-10" },
};

test.each([
  ["tool", "actor", Object.keys(changes)],
  ["input", "actor", Object.keys(changes).filter((name) => !name.startsWith("another input"))],
  ["tool", "thread", ["another call of the thread", "another input in the thread"]],
  ["input", "thread", ["another call of the thread"]],
])("remembered for this %s, for the %s: %j", async (match, holds, covered) => {
  const harness = await open();
  await remember(harness, match, holds);
  const [rule] = await rules(harness);
  expect(rule).toMatchObject({ match, for: holds, approver: operator, by: "alice" });
  for (const [name, change] of Object.entries(changes)) {
    const { verdict, reason } = await begin(harness, call(change));
    expect([name, verdict, reason]).toEqual([
      name,
      ...(covered.includes(name)
        ? ["accept", "remembered"]
        : ["ask_parent", "above_ask_threshold"]),
    ]);
  }
});

describe("a remembered decision", () => {
  test("is written down, quoted by the intents that run on it, and still one call runs once", async () => {
    const harness = await open();
    await remember(harness, "tool", "actor");
    const [rule] = await rules(harness);
    const ran = await begin(harness, call());
    expect(ran).toMatchObject({ verdict: "accept", reason: "remembered" });
    expect((await begin(harness, call())).reason).toBe("outcome_unknown");
    const rows = await harness.records();
    expect(rows.slice(1, 4)).toMatchObject([
      { op: "runtime.approval", body: { outcome: "approved" } },
      { op: "runtime.approval", result: 0, body: { outcome: "remembered", rule: rule?.id } },
      { op: "guard.intent", result: 0, body: { reason: "remembered", rule: rule?.id } },
    ]);
  });

  test("covers no other tool and no other scope, and loses against every no", async () => {
    const harness = await open();
    await remember(harness, "tool", "actor");
    expect((await begin(harness, call({ tool: "order_wine" }))).verdict).toBe("ask_parent");
    expect((await begin(harness, call({ scope: "web.post" }))).verdict).toBe("deny");
    expect((await begin(harness, call({ params: { amount_rmb: 600 } }))).verdict).toBe("deny");
    const refused = { reason: "not_mapped", explanation: "e" };
    expect((await begin(harness, call({ refused }))).verdict).toBe("deny");
    const uncertain = { reason: "not_mapped", explanation: "e" };
    expect((await begin(harness, call({ uncertain }))).verdict).toBe("ask_parent");
  });

  test("does not undo a no that was given to this very call", async () => {
    const harness = await open();
    const { approval } = await begin(harness, call());
    await decide(harness, "deny", approval);
    await remember(harness, "tool", "actor");
    expect((await begin(harness, call())).reason).toBe("approval_denied");
  });

  test("answers a question that still waits", async () => {
    const harness = await open();
    await begin(harness, call());
    await remember(harness, "tool", "actor");
    expect((await begin(harness, call())).reason).toBe("remembered");
  });

  test("holds until its time is over, across a restart", async () => {
    const data = mkdtempSync(join(tmpdir(), "agentkeys-"));
    onTestFinished(() => rmSync(data, { recursive: true }));
    const { clock, pass } = handClock();
    const first = await open({ data, clock });
    await remember(first, "tool", "actor");
    await first.authority.close();
    const second = await open({ data, clock });
    pass(3599);
    expect((await begin(second, call())).reason).toBe("remembered");
    pass(1);
    expect((await begin(second, call({ call_id: "call-2" }))).verdict).toBe("ask_parent");
    expect(await rules(second)).toEqual([]);
  });

  test("is its operator's word and nobody else's, when the actor is given to another one", async () => {
    const data = mkdtempSync(join(tmpdir(), "agentkeys-"));
    onTestFinished(() => rmSync(data, { recursive: true }));
    const ownedBy = (omni: string) => ({
      vendors: { magiclick: { token: "value:demo-tok" } },
      operators: {
        [operator]: { token: "value:operator-tok" },
        [otherOperator]: { token: "value:other-operator-tok" },
      },
      actors: {
        [actor]: {
          operator: omni,
          scopes: { "payment.spend": { currency: "RMB", per_call: 500, ask_above: 300 } },
        },
      },
    });
    const first = await open({ data, config: ownedBy(operator) });
    await remember(first, "tool", "actor");
    expect((await begin(first, call())).reason).toBe("remembered");
    await first.authority.close();
    const second = await open({ data, config: ownedBy(otherOperator) });
    const moved = call({ call_id: "call-2", operator_omni: otherOperator });
    expect((await begin(second, moved)).verdict).toBe("ask_parent");
  });

  test("is revoked by its operator alone, once, and holds no more from the next call on", async () => {
    const harness = await open();
    await remember(harness, "tool", "actor");
    const [rule] = await rules(harness);
    const revoke = async (init: object) => {
      const given = { token: "operator-tok", json: { reason: "enough" }, ...init };
      const { status, text } = await harness.http("POST", `/v1/rules/${rule?.id}/revoke`, given);
      return { status, ...(JSON.parse(text) as { envelope_hash?: string }) };
    };
    expect((await revoke({ token: "demo-tok", as: actor })).status).toBe(403);
    expect((await revoke({ token: "other-operator-tok" })).status).toBe(403);
    expect((await revoke({ json: {} })).status).toBe(400);
    expect((await begin(harness, call())).reason).toBe("remembered");
    const first = await revoke({});
    expect(first).toMatchObject({ status: 200, rule: { id: rule?.id } });
    expect(await revoke({})).toMatchObject({ status: 200, envelope_hash: null });
    expect((await begin(harness, call({ call_id: "call-2" }))).verdict).toBe("ask_parent");
    expect(await rules(harness)).toEqual([]);
    const rows = (await harness.records()).filter(({ body }) => body["outcome"] === "rule_revoked");
    expect(rows).toMatchObject([{ hash: first.envelope_hash, body: { rule: rule?.id } }]);
  });

  test("is seen by its operator alone", async () => {
    const harness = await open();
    await remember(harness, "tool", "actor");
    expect(await rules(harness, "other-operator-tok")).toEqual([]);
    const { status } = await harness.http("GET", "/v1/rules", { token: "demo-tok", as: actor });
    expect(status).toBe(403);
  });
});

test.each([
  ["of another kind", { match: "all", for: "actor", ttl_seconds: 60 }, {}],
  ["for everybody", { match: "tool", for: "everybody", ttl_seconds: 60 }, {}],
  ["for ever", { match: "tool", for: "actor" }, {}],
  ["for no time", { match: "tool", for: "actor", ttl_seconds: 0 }, {}],
  ["for more than a year", { match: "tool", for: "actor", ttl_seconds: 31_536_001 }, {}],
  [
    "for a thread without one",
    { match: "tool", for: "thread", ttl_seconds: 60 },
    { run_key: undefined },
  ],
  [
    "for a thread without a name",
    { match: "tool", for: "thread", ttl_seconds: 60 },
    { run_key: "#turn-1" },
  ],
  [
    "of what the client was not sure of",
    { match: "tool", for: "actor", ttl_seconds: 60 },
    { uncertain: { reason: "r", explanation: "e" } },
  ],
])("nothing is remembered %s", async (_, given, asked) => {
  const harness = await open();
  const { approval } = await begin(harness, call(asked));
  const fields = { remember: given };
  expect((await decide(harness, "approve", approval, { fields })).status).toBe(400);
  expect(await rules(harness)).toEqual([]);
  expect(await harness.records()).toHaveLength(1);
});

test("a denial is not remembered", async () => {
  const harness = await open();
  const { approval } = await begin(harness, call());
  const fields = { remember: { match: "tool", for: "actor", ttl_seconds: 60 } };
  expect((await decide(harness, "deny", approval, { fields })).status).toBe(400);
});
