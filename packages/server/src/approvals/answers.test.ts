import { describe, expect, test } from "vitest";
import {
  approved,
  begin,
  call,
  decide,
  digest,
  handClock,
} from "../testdata/approvals.test-kit.ts";
import { actor, open, other } from "../testdata/harness.test-kit.ts";

describe("no", () => {
  test("is answered to the same call, with by whom and why; without a run key until it would have expired", async () => {
    const { clock, pass } = handClock();
    const harness = await open({ clock });
    for (const run_key of ["thread-1", undefined]) {
      const { approval } = await begin(harness, call({ run_key }));
      await decide(harness, "deny", approval, { fields: { reason: "too dear", by: "alice" } });
      const denied = await begin(harness, call({ run_key }));
      expect(denied).toMatchObject({ verdict: "deny", reason: "approval_denied" });
      expect(denied.explanation).toMatch(/alice .*: too dear$/);
    }
    pass(900);
    expect((await begin(harness, call())).reason).toBe("approval_denied");
    expect((await begin(harness, call({ run_key: undefined }))).verdict).toBe("ask_parent");
  });

  test("in time becomes too late: expired, and written down once somebody looks", async () => {
    const { clock, pass } = handClock();
    const harness = await open({ clock });
    const { approval } = await begin(harness, call());
    pass(900);
    const answer = { verdict: "deny", reason: "approval_expired" };
    expect(await begin(harness, call())).toMatchObject(answer);
    expect(await begin(harness, call())).toMatchObject(answer);
    const rows = await harness.records();
    expect(rows.map(({ op, result }) => [op, result])).toEqual([
      ["guard.intent", 2],
      ["runtime.approval", 2],
      ["guard.intent", 2],
      ["guard.intent", 2],
    ]);
    expect(rows[1]?.body).toMatchObject({
      outcome: "expired",
      approval: approval.id,
      approver: null,
    });
  });
});

describe("withdrawn", () => {
  test("with a reason that is cut in the middle of a character", async () => {
    const harness = await open();
    const { approval } = await begin(harness, call());
    const reason = `${"x".repeat(999)}😀`;
    const { result } = await harness.rpc("guard/withdraw", {
      actor,
      approval: approval.id,
      reason,
    });
    expect(result).toMatchObject({ approval: { decided: { reason: "x".repeat(999) } } });
  });

  const withdraw = (harness: Awaited<ReturnType<typeof open>>, approval: string, who = actor) =>
    harness.rpc("guard/withdraw", { actor: who, approval, reason: "waited long" }, { as: who });

  test("by the agent itself: nobody can approve it any more", async () => {
    const harness = await open();
    const { approval } = await begin(harness, call());
    const gone = await withdraw(harness, approval.id);
    expect(gone.result).toMatchObject({ ok: true, approval: { status: "withdrawn" } });
    expect((await withdraw(harness, approval.id)).result).toMatchObject({ ok: true });
    expect((await decide(harness, "approve", approval)).status).toBe(409);
    expect(await begin(harness, call())).toMatchObject({
      verdict: "deny",
      reason: "approval_withdrawn",
    });
    const row = (await harness.records())[1];
    expect(row).toMatchObject({
      op: "runtime.approval",
      result: 2,
      body: { outcome: "withdrawn", approver: actor },
    });
  });

  test("a grant that was not used is void; one that was used stays used", async () => {
    const harness = await open();
    const { id } = await approved(harness);
    await withdraw(harness, id);
    expect((await begin(harness, call())).reason).toBe("approval_withdrawn");
    const used = await approved(harness, { call_id: "call-2" });
    await begin(harness, call({ call_id: "call-2" }));
    const late = await withdraw(harness, used.id);
    expect(late.error).toMatchObject({ data: { code: "already_executed" } });
  });

  test("by another actor is not found", async () => {
    const harness = await open();
    const { approval } = await begin(harness, call());
    const { error } = await withdraw(harness, approval.id, other);
    expect(error).toMatchObject({ data: { code: "not_found" } });
    expect((await decide(harness, "approve", approval)).status).toBe(200);
  });
});

test("a revoked actor's questions are answered with no, in the revocation's own step", async () => {
  const harness = await open();
  const { approval } = await begin(harness, call());
  await approved(harness, { call_id: "call-2" });
  await harness.http("POST", `/v1/actors/${actor}/revoke`, {
    token: "operator-tok",
    json: { reason: "lost phone" },
  });
  const late = await decide(harness, "approve", approval);
  expect(late).toMatchObject({
    status: 409,
    reason: "already_decided",
    data: { reason: "actor_revoked" },
  });
  for (const call_id of ["call-1", "call-2"]) {
    expect(await begin(harness, call({ call_id }))).toMatchObject({
      verdict: "deny",
      reason: "actor_revoked",
    });
  }
  const rows = (await harness.records()).slice(3, 5).map(({ op, body }) => [op, body["outcome"]]);
  expect(rows).toEqual([
    ["scope.revoke", undefined],
    ["runtime.approval", "denied"],
  ]);
});

test("a review is decided like any other and lets nothing run", async () => {
  const harness = await open();
  const args = { scope: "payment.spend", params: { amount_rmb: 400 } };
  const { approval } = await harness.ok("approval.request", args);
  const review = approval as unknown as { id: string; digest: string; kind: string };
  expect(review).toMatchObject({ kind: "review", status: "pending", scope: "payment.spend" });
  expect((await decide(harness, "approve", review)).status).toBe(200);
  const named = call({
    tool: "agentkeys.approval.request",
    grant: review.id,
    run_key: undefined,
    call_id: (approval as { call_id: string }).call_id,
    input_digest: (approval as { input_digest: string }).input_digest,
  });
  expect((await begin(harness, named)).verdict).toBe("ask_parent");
  const rows = await harness.records();
  expect(rows.slice(0, 2).map(({ body }) => body["outcome"])).toEqual(["requested", "approved"]);
});

test("the agent reads its own questions, by call, and nobody else's", async () => {
  const harness = await open();
  const { approval } = await begin(harness, call());
  await begin(harness, call({ call_id: "call-2" }));
  const ask = async (filter: object, who = actor) => {
    const { result } = await harness.rpc("guard/approvals", { actor: who, ...filter }, { as: who });
    const { approvals } = result as unknown as { approvals: { id: string }[] };
    return approvals.map(({ id }) => id);
  };
  expect(await ask({ call_id: "call-1", tool: "order_food", input_digest: digest })).toEqual([
    approval.id,
  ]);
  expect(await ask({})).toHaveLength(2);
  expect(await ask({ status: "approved" })).toEqual([]);
  expect(await ask({}, other)).toEqual([]);
});
