// The Claude Agent SDK: an order within the limit runs, one above it is refused, one between waits for a person; so do shell commands.
// A stand-in for the Claude Code program follows a script, so that nothing is downloaded and no key is needed.
import assert from "node:assert/strict";
import { createClient, createOperator } from "@agentkeys/core";
import { createAuthority } from "@agentkeys/server";
import { scriptedClaude } from "@agentkeys/testing/claude-agent-sdk";
// #region quickstart
import { withAgentKeys } from "@agentkeys/claude-agent-sdk";
import { createGuard } from "@agentkeys/core";
import { createSdkMcpServer, query, tool } from "@anthropic-ai/claude-agent-sdk";
import { z } from "zod";
// #endregion

const operator = `0x${"07".repeat(32)}`;
const actor = `0x${"a0".repeat(32)}`;
await using authority = await createAuthority({
  data: ":memory:",
  env: { VENDOR_TOKEN: "example-vendor", OPERATOR_TOKEN: "example-operator" },
  config: {
    vendors: { example: { token: "env:VENDOR_TOKEN" } },
    operators: { [operator]: { token: "env:OPERATOR_TOKEN" } },
    actors: {
      [actor]: {
        operator,
        vendor: "example",
        namespaces: ["travel"],
        scopes: {
          "memory.read": "allow",
          "shell.read": "allow",
          "payment.spend": { currency: "RMB", per_call: 500, ask_above: 300 },
        },
      },
    },
  },
});
await using client = createClient({
  fetch: authority.fetch,
  token: "example-vendor",
  actor,
  operator,
  deviceKeyHash: `0x${"de".repeat(32)}`,
});

const commands: string[] = [];
const order = (dish: string, price: number) => {
  return { name: "mcp__shop__order_food", input: { dish, price } };
};
const bash = (command: string) => ({ name: "Bash", input: { command } });
const claude = scriptedClaude(
  [
    [order("banquet", 600), order("noodles", 200)],
    [bash("git status"), bash("git status; rm -rf .")],
    [order("crab", 400)],
    "Noodles and a crab are on their way; the banquet was over the limit.",
  ],
  { builtins: { Bash: ({ command }: { command: string }) => `${commands.push(command)} run` } },
);
const settings = claude.options;

// The person, who answers at the authority whenever something is asked.
await using operators = createOperator({ fetch: authority.fetch, token: "example-operator" });
const home = new AbortController();
const answering = (async () => {
  for await (const approval of operators.approvals.watch({ signal: home.signal })) {
    if (approval.status !== "pending") continue;
    await operators.approvals.approve(approval, { reason: "it is Saturday", by: "ann" });
  }
})().catch(() => undefined);

// #region quickstart
const ordered: string[] = []; // what really runs
const orderFood = tool(
  "order_food",
  "Orders a dish; the price is in RMB.",
  { dish: z.string(), price: z.int() },
  async ({ dish }) => {
    ordered.push(dish);
    return { content: [{ type: "text", text: `${dish} is on its way` }] };
  },
);
const guard = createGuard<{
  mcp__shop__order_food: { dish: string; price: number };
}>({
  client,
  tools: {
    mcp__shop__order_food: {
      scope: "payment.spend",
      params: ({ price }) => ({ amount_rmb: price }),
    },
  },
  // Built-in tools: a whole command line that is known. Everything else is denied.
  classify: ({ tool: name, input }) =>
    name === "Bash" && input["command"] === "git status" ? { scope: "shell.read" } : undefined,
  approval: { waitMs: 60_000 }, // where a person is asked, the call waits
});
const options = withAgentKeys(guard, {
  ...settings,
  mcpServers: { shop: createSdkMcpServer({ name: "shop", tools: [orderFood] }) },
  allowedTools: ["mcp__shop__order_food", "Bash"],
});
let said = "";
for await (const message of query({ prompt: "Lunch, please", options })) {
  if (message.type === "result" && message.subtype === "success") said = message.result;
}
// #endregion

home.abort();
await answering;
assert.deepEqual(ordered, ["noodles", "crab"]);
assert.deepEqual(commands, ["git status"]);
const refusals = claude.answers.filter(({ refused }) => refused).map(({ text }) => text);
assert.equal(refusals.length, 2);
assert.match(refusals.join(), /Denied by AgentKeys: daily_spend_cap_exceeded/);
console.log(said);
