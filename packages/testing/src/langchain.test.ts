import { tool } from "@langchain/core/tools";
import { createAgent } from "langchain";
import { beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { answersRead, offeredTo, scriptedModel } from "./langchain.ts";

const ran: unknown[] = [];
const add = tool(
  ({ a, b }: { a: number; b: number }) => {
    ran.push({ a, b });
    return String(a + b);
  },
  { name: "add", description: "adds", schema: z.object({ a: z.number(), b: z.number() }) },
);

beforeEach(() => {
  ran.length = 0;
});

test("plays calls and texts through a real agent, with ids counted over the script", async () => {
  const model = scriptedModel([
    [
      { name: "add", input: { a: 1, b: 2 } },
      { name: "add", input: { a: 3, b: 4 }, id: "mine" },
    ],
    [{ name: "add", input: { a: 5, b: 6 } }],
    "done",
  ]);
  const { messages } = await createAgent({ model, tools: [add] }).invoke({ messages: "go" });
  expect(ran).toEqual([
    { a: 1, b: 2 },
    { a: 3, b: 4 },
    { a: 5, b: 6 },
  ]);
  expect(answersRead(model)).toEqual([
    { id: "call-1", tool: "add", refused: false, text: "3" },
    { id: "mine", tool: "add", refused: false, text: "7" },
    { id: "call-3", tool: "add", refused: false, text: "11" },
  ]);
  expect(messages.at(-1)?.text).toBe("done");
});

test("keeps what it was offered and told, and repeats its last turn", async () => {
  const model = scriptedModel(["first", "last"]);
  const agent = createAgent({
    model,
    tools: [add, { type: "web_search_20250305", name: "web_search" }],
  });
  const texts = [];
  for (const messages of ["a", "b", "c"]) {
    texts.push((await agent.invoke({ messages })).messages.at(-1)?.text);
  }
  expect(texts).toEqual(["first", "last", "last"]);
  expect(offeredTo(model)).toMatchObject([
    { name: "add", schema: { properties: { a: { type: "number" } }, required: ["a", "b"] } },
    { name: "web_search" },
  ]);
  expect(model.calls.map(({ messages }) => messages.at(-1)?.text)).toEqual(["a", "b", "c"]);
});

test("one run of an agent does not see the arguments that another has changed", async () => {
  const input = { a: 1, b: 1 };
  const model = scriptedModel([[{ name: "add", input }], "done"]);
  const { messages } = await createAgent({ model, tools: [add] }).invoke({ messages: "go" });
  const call = messages.flatMap((m) =>
    "tool_calls" in m ? (m.tool_calls as { args: object }[]) : [],
  )[0];
  expect(call?.args).toEqual(input);
  expect(call?.args).not.toBe(input);
});

test("an error reads as refused", async () => {
  const model = scriptedModel([[{ name: "add", input: { a: "one" } }], "done"]);
  await createAgent({ model, tools: [add] }).invoke({ messages: "go" });
  expect(answersRead(model)).toMatchObject([{ id: "call-1", refused: true }]);
  expect(ran).toEqual([]);
});
