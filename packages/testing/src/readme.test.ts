import { expect, test } from "vitest";
// #region readme
import { scriptedModel } from "@agentkeys/testing/ai-sdk";
import { generateText, isStepCount, tool } from "ai";
import { z } from "zod";
// #endregion

test("a scripted model drives a real loop", async () => {
  // #region readme
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
