import type { Client, Guard } from "@agentkeys/core";
import { generateText, isStepCount, streamText, tool, ToolLoopAgent } from "ai";
import type { LanguageModel } from "ai";
import { z } from "zod";
import { agentKeysApproval, agentKeysTools, guardTools, withAgentKeys } from "./index.ts";

declare const guard: Guard;
declare const client: Client;
declare const model: LanguageModel;

type Same<A, B> = [A, B] extends [B, A] ? true : false;
declare function same<A, B>(answer: Same<A, B>): void;

const order_food = tool({
  inputSchema: z.object({ dish: z.string(), price: z.number() }),
  execute: async ({ dish }) => ({ order: dish.length }),
});
const search_web = tool({
  inputSchema: z.object({ query: z.string() }),
  async *execute({ query }) {
    yield [query];
  },
});
const tools = { order_food, search_web };

// What guardTools and withAgentKeys return has the type of what they were given.
same<ReturnType<typeof guardTools<typeof tools>>, typeof tools>(true);
const config = { model, tools, temperature: 1 };
same<ReturnType<typeof withAgentKeys<typeof config>>, typeof config>(true);

// Results stay typed through a ToolLoopAgent, generateText and streamText.
const agent = new ToolLoopAgent(withAgentKeys(guard, { model, tools }));
const literal = await agent.generate({ prompt: "go" });
for (const result of literal.toolResults) {
  if (result.dynamic !== true && result.toolName === "order_food") {
    same<typeof result.output, { order: number }>(true);
    same<typeof result.input, { dish: string; price: number }>(true);
    // @ts-expect-error the output has no such field
    void result.output.dish;
  }
}
const spread = await generateText({ ...withAgentKeys(guard, { model, tools }), prompt: "go" });
for (const result of spread.toolResults) {
  if (result.dynamic !== true && result.toolName === "order_food") {
    same<typeof result.output, { order: number }>(true);
  }
}
const streamed = streamText({ ...withAgentKeys(guard, config), prompt: "go" });
for (const result of await streamed.toolResults) {
  if (result.dynamic !== true && result.toolName === "search_web") {
    same<typeof result.output, string[]>(true);
  }
}

// By hand, beside AgentKeys' own tools.
const byHand = await generateText({
  model,
  prompt: "go",
  tools: { ...agentKeysTools(client), ...guardTools(guard, tools) },
  toolApproval: agentKeysApproval(guard),
});
for (const result of byHand.toolResults) {
  if (result.dynamic !== true && result.toolName === "order_food") {
    same<typeof result.output, { order: number }>(true);
  }
}

// Callbacks of a configuration are typed by the agent that it is for.
void new ToolLoopAgent(
  withAgentKeys(guard, {
    model,
    tools,
    prepareStep: ({ stepNumber }) => (stepNumber > 1 ? { toolChoice: "none" } : {}),
    toolApproval: { order_food: ({ price }) => (price > 100 ? "user-approval" : undefined) },
  }),
);
void new ToolLoopAgent({
  model,
  tools,
  toolApproval: agentKeysApproval(guard, () => "approved"),
});

// A configuration may have no tools of its own, lists in literal form, and contexts.
void new ToolLoopAgent(withAgentKeys(guard, { model }));
void generateText(
  withAgentKeys(guard, { model, tools, prompt: "go", activeTools: ["order_food"] }),
);
const remember = tool({
  inputSchema: z.object({ note: z.string() }),
  contextSchema: z.object({ tenant: z.string() }),
  execute: async ({ note }, { context }) => note + context.tenant,
});
void new ToolLoopAgent(
  withAgentKeys(guard, {
    model,
    tools: { remember },
    toolsContext: { remember: { tenant: "t1" } },
    stopWhen: [isStepCount(3)],
  }),
);
// @ts-expect-error the context that a tool needs is still asked for
void new ToolLoopAgent(withAgentKeys(guard, { model, tools: { remember } }));

// @ts-expect-error a tool needs an input schema
void withAgentKeys(guard, { model, tools: { order_food: { execute: async () => 1 } } });
// @ts-expect-error no such option
void withAgentKeys(guard, config, { tool: [] });
// @ts-expect-error a wrong type in the configuration is found where it is used
void new ToolLoopAgent(withAgentKeys(guard, { model, tools, temperature: "hot" }));
// @ts-expect-error the prefix is a string
void agentKeysTools(client, { prefix: 1 });
// @ts-expect-error a guard, not its client
void agentKeysApproval(client);
