import { mockAuthority } from "@agentkeys/testing";
import { scriptedClaude } from "@agentkeys/testing/claude-agent-sdk";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
// #region readme
import { createSdkMcpServer, query, tool } from "@anthropic-ai/claude-agent-sdk";
import { withAgentKeys } from "@agentkeys/claude-agent-sdk";
import { createClient, createGuard } from "@agentkeys/core";
import { z } from "zod";
// #endregion
// #region by-hand
import { agentKeysHooks, agentKeysTools, guardTools } from "@agentkeys/claude-agent-sdk";
// #endregion
// #region shell
import type { Classify } from "@agentkeys/core";
// #endregion

// The real SDK, with a stand-in for the program that it would start.
const stand = vi.hoisted(() => ({ options: {} }));
vi.mock(import("@anthropic-ai/claude-agent-sdk"), async (load) => {
  const sdk = await load();
  const started: typeof sdk.query = ({ prompt, options }) =>
    sdk.query({ prompt, options: { ...options, ...stand.options } });
  return { ...sdk, query: started };
});

const authority = await mockAuthority({
  deny: ["shell.write"],
  actor: { scopes: { "payment.spend": { currency: "RMB", per_call: 500, ask_above: 300 } } },
});
const ordered: unknown[] = [];
const placeOrder = async (dish: string, price: number): Promise<string> => {
  ordered.push({ dish, price });
  return `${dish} is on its way`;
};
const order = (price: number) => [
  { name: "mcp__shop__order_food", input: { dish: "hotpot", price } },
];
const denial =
  "Denied by AgentKeys: daily_spend_cap_exceeded (cap=500, requested=600, period=daily)";

beforeAll(async () => {
  for (const [name, value] of Object.entries(await authority.env())) vi.stubEnv(name, value);
});

beforeEach(() => {
  ordered.length = 0;
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await authority.close();
});

test("the whole guard", async () => {
  const claude = scriptedClaude([order(600), order(200), "Your hotpot is on its way."]);
  stand.options = claude.options;
  const log: string[] = [];
  const console = { log: (text: string) => void log.push(text) };
  // #region readme
  await using client = createClient(); // url, token and identity from AGENTKEYS_* variables
  const guard = createGuard({
    client,
    tools: {
      mcp__shop__order_food: {
        scope: "payment.spend",
        params: (i) => ({ amount_rmb: i["price"] }),
      },
    },
  });
  const orderFood = tool(
    "order_food",
    "Orders a dish.",
    { dish: z.string(), price: z.number() },
    async ({ dish, price }) => ({
      content: [{ type: "text", text: await placeOrder(dish, price) }],
    }),
  );

  const options = withAgentKeys(guard, {
    mcpServers: { shop: createSdkMcpServer({ name: "shop", tools: [orderFood] }) },
    allowedTools: ["mcp__shop__order_food"],
  });
  for await (const message of query({ prompt: "A hotpot, please.", options })) {
    if (message.type === "result" && message.subtype === "success") console.log(message.result);
  }
  // #endregion
  expect(log).toEqual(["Your hotpot is on its way."]);
  expect(ordered).toEqual([{ dish: "hotpot", price: 200 }]);
  expect(claude.answers).toMatchObject([{ refused: true, text: denial }, { refused: false }]);
});

test("by hand", async () => {
  const claude = scriptedClaude([
    [...order(600), { name: "mcp__agentkeys__memory_get", input: { namespace: "family" } }],
    "No.",
  ]);
  stand.options = claude.options;
  await using client = createClient();
  const guard = createGuard({
    client,
    tools: {
      mcp__shop__order_food: {
        scope: "payment.spend",
        params: (i) => ({ amount_rmb: i["price"] }),
      },
    },
  });
  const orderFood = tool(
    "order_food",
    "Orders a dish.",
    { dish: z.string(), price: z.number() },
    async ({ dish, price }) => ({
      content: [{ type: "text", text: await placeOrder(dish, price) }],
    }),
  );
  // #region by-hand
  const run = query({
    prompt: "A hotpot, please.",
    options: {
      mcpServers: { ...agentKeysTools(client), ...guardTools(guard, { shop: [orderFood] }) },
      hooks: agentKeysHooks(guard),
      allowedTools: ["mcp__agentkeys", "mcp__shop"],
    },
  });
  // #endregion
  for await (const _ of run);
  expect(ordered).toEqual([]);
  expect(claude.answers.toSorted((a, b) => a.id.localeCompare(b.id))).toMatchObject([
    { text: denial, refused: true },
    { text: expect.stringContaining("namespace_violation"), refused: false },
  ]);
});

test("built-in tools", async () => {
  const bash = (command: string) => ({ name: "Bash", input: { command } });
  const ran: unknown[] = [];
  const claude = scriptedClaude(
    [
      [bash("git status"), bash("git push"), bash("git status; rm -rf ."), bash("curl x.example")],
      [{ name: "WebFetch", input: { url: "https://docs.example/a", prompt: "" } }],
      [{ name: "WebFetch", input: { url: "https://evil.example/a", prompt: "" } }],
      [{ name: "Write", input: { file_path: "/a", content: "" } }],
      "done",
    ],
    {
      builtins: {
        Bash: ({ command }: { command: string }) => ran.push(command) && "clean",
        WebFetch: ({ url }: { url: string }) => ran.push(url) && "page",
        Write: () => ran.push("written"),
      },
    },
  );
  stand.options = claude.options;
  await using client = createClient();
  // #region shell
  const commands = new Map([
    ["git status", "shell.read"],
    ["git push", "shell.write"],
  ]);
  const classify: Classify = ({ tool: name, input: { command, url } }) => {
    if (["Read", "Glob", "Grep"].includes(name)) return { scope: "files.read" };
    // A whole command line that is known: parsing a shell's language is no boundary.
    const scope = name === "Bash" ? commands.get(String(command)) : undefined;
    if (scope !== undefined) return { scope };
    const host = name === "WebFetch" ? URL.parse(String(url))?.host : undefined;
    return host === "docs.example" ? { scope: "web.docs" } : undefined; // undefined: denied
  };
  const guard = createGuard({ client, tools: {}, classify });
  // #endregion
  const options = withAgentKeys(guard, {
    permissionMode: "bypassPermissions",
    allowDangerouslySkipPermissions: true,
  });
  for await (const _ of query({ prompt: "go", options }));
  expect(ran).toEqual(["git status", "https://docs.example/a"]);
  expect(claude.answers.filter(({ refused }) => refused)).toHaveLength(5);
});
