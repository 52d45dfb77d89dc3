// #region readme
import { createGuard } from "@agentkeys/core";
import { mockAuthority } from "@agentkeys/testing";
import { expect, test } from "vitest";
import "@agentkeys/testing/vitest"; // registers and types the two matchers
// #endregion
// #region scripted-model
import { scriptedModel } from "@agentkeys/testing/ai-sdk";
import { generateText, isStepCount, tool } from "ai";
import { z } from "zod";
// #endregion

const orderFood = ({ dish }: { dish: string }): string => `${dish} is on its way`;

// #region readme
test("an agent that may not spend orders nothing", async () => {
  await using authority = await mockAuthority({ deny: ["payment.spend"] });
  const client = authority.client();
  const guard = createGuard({ client, tools: { order_food: { scope: "payment.spend" } } });
  const order = guard.wrap("order_food", orderFood);

  await expect(order({ dish: "hotpot" })).rejects.toThrow("scope_forbidden");

  expect(authority.log()).toHaveRecorded({ tool: "order_food", verdict: "deny" });
  expect(authority.log()).toHaveDenied("order_food"); // and no outcome follows: it did not run
});
// #endregion

test("a scripted model drives a real loop", async () => {
  // #region scripted-model
  const model = scriptedModel([
    [{ name: "add", input: { a: 20, b: 22 } }], // first turn: a call
    "The answer is 42.", // second turn: the end
  ]);
  const add = tool({
    description: "Adds two numbers.",
    inputSchema: z.object({ a: z.number(), b: z.number() }),
    execute: async ({ a, b }) => a + b,
  });
  const { text, steps } = await generateText({
    model,
    prompt: "20 + 22?",
    tools: { add },
    stopWhen: isStepCount(3),
  });
  // #endregion
  expect(text).toBe("The answer is 42.");
  expect(steps[0]?.toolResults).toMatchObject([{ output: 42 }]);
});
