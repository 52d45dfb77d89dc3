import { expect, test } from "vitest";
// #region readme
import { createAuthority } from "@agentkeys/server";
// #endregion

test("an authority in memory decides and records a call", async () => {
  // #region readme
  const actor = `0x${"a0".repeat(32)}`;
  const operator = `0x${"07".repeat(32)}`;

  await using authority = await createAuthority({
    data: ":memory:", // or a directory
    config: {
      vendors: { shop: { token: "value:shop-token" } },
      operators: { [operator]: { token: "value:operator-token" } },
      actors: {
        [actor]: {
          operator,
          vendor: "shop",
          scopes: { "payment.spend": { currency: "RMB", per_call: 500 } },
        },
      },
    },
  });

  const answer = await authority.fetch("/mcp", {
    method: "POST",
    headers: {
      authorization: "Bearer shop-token",
      "x-agentkeys-actor": actor,
      "content-type": "application/json",
    },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: {
        name: "agentkeys.permission.check",
        arguments: { actor, scope: "payment.spend", params: { amount_rmb: 600 } },
      },
    }),
  });
  const { result } = (await answer.json()) as { result: { structuredContent: { reason: string } } };
  console.log(result.structuredContent.reason); // daily_spend_cap_exceeded

  const [record] = await authority.records();
  console.log(record?.envelope_hash); // 0x…: the denial was durable before it was answered
  // #endregion
  expect(result.structuredContent.reason).toBe("daily_spend_cap_exceeded");
  expect(record?.envelope_hash).toMatch(/^0x[0-9a-f]{64}$/);
});
