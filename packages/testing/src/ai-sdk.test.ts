import { generateText, isStepCount, streamText, tool } from "ai";
import { expect, test } from "vitest";
import { z } from "zod";
import { answersRead, offeredTo, scriptedModel } from "./ai-sdk.ts";
import type { Script } from "./script.ts";

const add = tool({
  inputSchema: z.object({ a: z.number(), b: z.number() }),
  execute: async ({ a, b }) => ({ sum: a + b }),
});
const fail = tool({
  inputSchema: z.object({}),
  execute: async (): Promise<string> => {
    throw new Error("kaput");
  },
});
const script: Script = [
  [
    { name: "add", input: { a: 1, b: 2 } },
    { name: "fail", input: {}, id: "mine" },
  ],
  [{ name: "add", input: { a: 3, b: 4 } }],
  "done",
];
const settings = {
  prompt: "go",
  tools: { add, fail },
  stopWhen: isStepCount(5),
  toolApproval: { add: ({ a }: { a: number }) => (a === 3 ? ("denied" as const) : undefined) },
};
const read = [
  { id: "call-1", tool: "add", refused: false, text: '{"sum":3}' },
  { id: "mine", tool: "fail", refused: true, text: "Error: kaput" },
  { id: "call-3", tool: "add", refused: true, text: "" },
];

test("plays the script through generateText, with ids counted over it", async () => {
  const model = scriptedModel(script);
  expect(answersRead(model)).toEqual([]);
  expect((await generateText({ ...settings, model })).text).toBe("done");
  expect(answersRead(model)).toEqual(read);
});

test("plays it through streamText, the calls' inputs included", async () => {
  const model = scriptedModel(script);
  const { stream, text } = streamText({ ...settings, model });
  const types: string[] = [];
  for await (const { type } of stream) types.push(type);
  expect(await text).toBe("done");
  expect(types.filter((type) => type === "tool-input-start")).toHaveLength(3);
  expect(answersRead(model)).toEqual(read);
});

test("says what it was offered, and repeats its last turn", async () => {
  const model = scriptedModel(["first", "last"]);
  const texts: string[] = [];
  for (let i = 0; i < 3; i++) {
    const { text } = await generateText({ model, prompt: "go", tools: i === 0 ? { add } : {} });
    texts.push(text);
  }
  expect(texts).toEqual(["first", "last", "last"]);
  expect(offeredTo(model)).toMatchObject([
    { name: "add", schema: { properties: { a: { type: "number" } } } },
  ]);
});
