import {
  createSdkMcpServer,
  type McpSdkServerConfigWithInstance,
  type Options,
  query,
  tool,
} from "@anthropic-ai/claude-agent-sdk";
import type { Client, Guard } from "@agentkeys/core";
import { z } from "zod";
import { agentKeysHooks, agentKeysTools, guardTools, withAgentKeys } from "./index.ts";

declare const guard: Guard;
declare const client: Client;

type Same<A, B> = [A, B] extends [B, A] ? true : false;
declare function same<A, B>(answer: Same<A, B>): void;

const orderFood = tool("order_food", "Orders.", { price: z.number() }, async ({ price }) => {
  same<typeof price, number>(true);
  return { content: [] };
});
const shop = createSdkMcpServer({ name: "shop", tools: [orderFood] });
const github = { type: "http", url: "https://mcp.example" } as const;

// What withAgentKeys and guardTools return has the type of what they were given.
const options = { mcpServers: { shop }, maxTurns: 3 };
same<ReturnType<typeof withAgentKeys<typeof options>>, typeof options>(true);
void query({ prompt: "go", options: withAgentKeys(guard, options) });
void query({ prompt: "go", options: withAgentKeys(guard, { mcpServers: { shop, github } }) });
void query({ prompt: "go", options: withAgentKeys(guard, {}) });

// A list of definitions becomes a server; servers stay what they are.
const servers = guardTools(guard, { shop: [orderFood], kitchen: shop, github });
same<typeof servers.shop, McpSdkServerConfigWithInstance>(true);
same<typeof servers.kitchen, McpSdkServerConfigWithInstance>(true);
same<typeof servers.github, typeof github>(true);
const byHand: Options = {
  mcpServers: { ...agentKeysTools(client, { only: ["memory_get"] }), ...servers },
  hooks: agentKeysHooks(guard, { Stop: [{ hooks: [async () => ({})] }] }),
};
void query({ prompt: "go", options: byHand });

// @ts-expect-error no such option
void withAgentKeys(guard, options, { tool: [] });
// @ts-expect-error a wrong type in the options is found at once
void withAgentKeys(guard, { maxTurns: "three" });
// @ts-expect-error a guard, not its client
void agentKeysHooks(client);
// @ts-expect-error no server and no definitions
void guardTools(guard, { shop: "https://mcp.example" });
