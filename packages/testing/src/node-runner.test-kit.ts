/* oxlint-disable typescript/no-floating-promises -- the runner waits for its tests */
// #region node-test
import assert from "node:assert/strict";
import test from "node:test";
import { createGuard } from "@agentkeys/core";
import { assertDenied, findRecords, mockAuthority } from "@agentkeys/testing";

test("no order above the limit", async () => {
  const scopes = { "payment.spend": { currency: "RMB", per_call: 500 } };
  await using authority = await mockAuthority({ actor: { scopes } });
  const guard = createGuard<{ order_food: { price: number } }>({
    client: authority.client(),
    tools: { order_food: { scope: "payment.spend", params: (i) => ({ amount_rmb: i.price }) } },
  });
  const order = guard.wrap("order_food", ({ price }: { price: number }) => `paid ${price}`);

  await assert.rejects(order({ price: 600 }), { code: "permission_denied" });

  assertDenied(authority, { tool: "order_food", reason: "daily_spend_cap_exceeded" });
  assert.equal(findRecords(authority, { tool: "order_food", outcome: "ok" }).length, 0);
});
// #endregion
