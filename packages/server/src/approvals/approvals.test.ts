import { approvalDigest, textDigest } from "@agentkeys/contract";
import { expect, test } from "vitest";
import { begin, call, decide, digest, end } from "../testdata/approvals.test-kit.ts";
import { actor, open, operator } from "../testdata/harness.test-kit.ts";

test("asked, approved, executed once", async () => {
  const harness = await open();
  const asked = await begin(harness, call({ clear: { dish: "noodles" } }));
  const [question] = await harness.records();
  expect(asked).toMatchObject({
    verdict: "ask_parent",
    reason: "above_ask_threshold",
    envelope_hash: question?.hash,
    approval: {
      kind: "guard",
      actor,
      operator_omni: operator,
      tool: "order_food",
      scope: "payment.spend",
      params: { amount_rmb: 400 },
      clear: { dish: "noodles" },
      call_id: "call-1",
      run_key: "thread-1",
      input_digest: digest,
      status: "pending",
      text: "order_food\nscope: payment.spend\namount_rmb: 400\ndish: noodles",
    },
  });
  const { approval } = asked;
  expect(approval.text_digest).toBe(textDigest(approval.text));
  expect(approval.digest).toBe(approvalDigest(approval));
  expect(approval.expires_at - approval.created_at).toBe(900);

  const decided = await decide(harness, "approve", approval, { fields: { by: "alice" } });
  expect(decided).toMatchObject({
    status: 200,
    ok: true,
    approval: {
      id: approval.id,
      status: "approved",
      decided: { outcome: "approved", approver: operator, by: "alice", reason: "lunch" },
    },
  });
  const ran = await begin(harness, call());
  expect(ran).toMatchObject({
    verdict: "accept",
    reason: "approved",
    approval: { id: approval.id },
  });
  expect(ran.explanation).toContain("alice");
  await end(harness, ran);
  const rows = await harness.records();
  expect(rows.map(({ op, result }) => [op, result])).toEqual([
    ["guard.intent", 2],
    ["runtime.approval", 0],
    ["guard.intent", 0],
    ["runtime.tool_result", 0],
  ]);
  expect(rows[1]?.body).toEqual({
    tool: "order_food",
    outcome: "approved",
    approval: approval.id,
    digest: approval.digest,
    intent: asked.envelope_hash,
    approver: operator,
    by: "alice",
    reason: "lunch",
  });
  expect(rows[1]?.hash).toBe(decided.envelope_hash);
  expect(rows[2]?.body).toMatchObject({
    verdict: "accept",
    reason: "approved",
    approval: approval.id,
  });

  const again = await begin(harness, call());
  expect(again).toMatchObject({ verdict: "deny", reason: "already_executed" });
});
