import { withAgentKeys } from "@agentkeys/langchain";
import { AIMessage, ToolMessage } from "@langchain/core/messages";
import { createAgent, tool } from "langchain";
import { z } from "zod";
import { chatModel } from "./model.ts";
import { instructions } from "./shop.ts";
import type { CreateAgent } from "./shop.ts";

export const langchainAgent: CreateAgent = (guard, shop) => {
  const tools = [
    tool(({ query }) => shop.search(query), {
      name: "search_web",
      description: "Searches the web.",
      schema: z.object({ query: z.string() }),
    }),
    tool(({ dish, price }) => shop.order(dish, price), {
      name: "order_food",
      description: "Orders a dish. The price is in RMB.",
      schema: z.object({ dish: z.string(), price: z.int() }),
    }),
  ];
  return async (request, script) => {
    const agent = createAgent(
      withAgentKeys(guard, { model: chatModel(script), tools, systemPrompt: instructions }),
    );
    const { messages } = await agent.invoke({ messages: [{ role: "user", content: request }] });
    const calls = new Map(
      messages.flatMap((message) =>
        AIMessage.isInstance(message)
          ? (message.tool_calls ?? []).map((call) => [call.id, call.args] as const)
          : [],
      ),
    );
    const exchanges = messages
      .filter((message) => ToolMessage.isInstance(message))
      .map((answer) => ({
        tool: answer.name ?? "",
        input: calls.get(answer.tool_call_id),
        refused: answer.status === "error",
        answer: answer.text,
      }));
    return { exchanges, text: messages.at(-1)?.text ?? "" };
  };
};
