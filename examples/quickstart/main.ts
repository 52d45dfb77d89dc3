// The happy path with no framework and no process beside this one: an authority in memory, a client, a guarded function.
import assert from "node:assert/strict";
import { AgentKeysError, createClient, createGuard } from "@agentkeys/core";
import { createAuthority } from "@agentkeys/server";

const operator = `0x${"07".repeat(32)}`;
const actor = `0x${"a0".repeat(32)}`;

await using authority = await createAuthority({
  data: ":memory:",
  env: { VENDOR_TOKEN: "quickstart-vendor", OPERATOR_TOKEN: "quickstart-operator" },
  config: {
    vendors: { quickstart: { token: "env:VENDOR_TOKEN" } },
    operators: { [operator]: { token: "env:OPERATOR_TOKEN" } },
    actors: {
      [actor]: {
        operator,
        vendor: "quickstart",
        namespaces: ["travel"],
        scopes: {
          "memory.read": "allow",
          "memory.write": "allow",
          "payment.spend": { currency: "RMB", per_call: 500 },
        },
      },
    },
  },
});
await using client = createClient({
  fetch: authority.fetch,
  token: "quickstart-vendor",
  actor,
  operator,
  deviceKeyHash: `0x${"de".repeat(32)}`,
});

await client.memory.put({ namespace: "travel", content: "Chengdu, 3 to 7 May" });
const { content } = await client.memory.get({ namespace: "travel" });
assert.equal(content, "Chengdu, 3 to 7 May");
console.log(`travel: ${content}`);

const family = await client.memory.get({ namespace: "family" });
assert.deepEqual([family.ok, family.content], [false, ""]);
console.log("family: outside this agent's namespaces, empty");

interface Order {
  dish: string;
  price: number;
}
const ordered: Order[] = [];
const guard = createGuard<{ order_food: Order }>({
  client,
  tools: {
    order_food: { scope: "payment.spend", params: (order) => ({ amount_rmb: order.price }) },
  },
});
const order = guard.wrap("order_food", async (input: Order) => {
  ordered.push(input);
  return `${input.dish} is on its way`;
});

console.log(await order({ dish: "noodles", price: 200 }));
await assert.rejects(order({ dish: "banquet", price: 600 }), (error) => {
  assert.ok(AgentKeysError.is(error, "permission_denied"));
  console.log(error.message);
  return error.message.includes("daily_spend_cap_exceeded (cap=500, requested=600, period=daily)");
});
assert.deepEqual(ordered, [{ dish: "noodles", price: 200 }]);
