import { createGuard } from "@agentkeys/core";
import { scriptedModel } from "@agentkeys/testing/langchain";
import { createDeepAgent } from "deepagents";
import { createAgent } from "langchain";
import { expect, onTestFinished, test, vi } from "vitest";
import { buy, free, open, orderFood, type World } from "../test/world.ts";
import { withAgentKeys } from "./index.ts";

/** A guard that lets work be handed over, and the tools of deepagents' own middleware have no row. */
function guardOf({ guard: { client } }: World) {
  const row = {
    scope: "payment.spend",
    params: (i: { price: number }) => ({ amount_rmb: i.price }),
  };
  return createGuard<{ order_food: { price: number }; task: object }>({
    client,
    tools: { order_food: row, task: { scope: "web.search" } },
  });
}

const description = "helps";
const systemPrompt = "Help.";
const hand = (to: string) => [{ name: "task", input: { description, subagent_type: to } }];
const refused = ({ begun }: World) =>
  begun.filter(({ verdict }) => verdict === "deny").map(({ tool }) => tool);

test("sub-agents of a configuration are guarded in turn, their raw tools and deepagents' own", async () => {
  const world = await open();
  const inner = scriptedModel([
    [buy(600), buy(200)],
    [
      { name: "free_note", input: {} },
      { name: "ls", input: { path: "/" } },
    ],
    "inner done",
  ]);
  const shopper = { name: "shopper", description, systemPrompt, model: inner };
  const config = {
    model: scriptedModel([hand("shopper"), "done"]),
    subagents: [{ ...shopper, tools: [orderFood(world), free(world)] }],
  };
  const agent = createDeepAgent(withAgentKeys(guardOf(world), config, { tools: false }));
  const { messages } = await agent.invoke({ messages: [{ role: "user", content: "go" }] });
  expect(messages.at(-1)?.text).toBe("done");
  expect(messages.at(-2)?.text).toBe("inner done");
  expect(world.ran).toEqual([{ price: 200 }]);
  expect(refused(world).toSorted()).toEqual(["free_note", "ls", "order_food"]);
});

test("one that goes on with its parent's conversation, and so with its middleware, has one guard", async () => {
  const world = await open();
  const model = scriptedModel([hand("fork"), [buy(600), buy(200)], "inner done", "done"]);
  const fork = { name: "fork", description, mode: "fork" as const, tools: [orderFood(world)] };
  const config = { model, subagents: [fork] };
  const agent = createDeepAgent(withAgentKeys(guardOf(world), config, { tools: false }));
  const { messages } = await agent.invoke({ messages: [{ role: "user", content: "go" }] });
  expect(messages.at(-1)?.text).toBe("done");
  expect(world.ran).toEqual([{ price: 200 }]);
  expect(refused(world)).toEqual(["order_food"]);
});

test("so is the one that deepagents adds by itself", async () => {
  const world = await open();
  const turns = [buy(600), { name: "ls", input: { path: "/" } }];
  const model = scriptedModel([hand("general-purpose"), turns, "inner done", "done"]);
  const config = { model, tools: [orderFood(world)], subagents: [] };
  const agent = createDeepAgent(withAgentKeys(guardOf(world), config, { tools: false }));
  const { messages } = await agent.invoke({ messages: [{ role: "user", content: "go" }] });
  expect(messages.at(-1)?.text).toBe("done");
  expect(world.ran).toEqual([]);
  expect(refused(world).toSorted()).toEqual(["ls", "order_food"]);
});

test("a compiled one is refused by strict, and its raw tools never run", async () => {
  const printed = vi.spyOn(console, "error").mockReturnValue();
  onTestFinished(() => printed.mockRestore());
  const world = await open();
  const guard = guardOf(world);
  const inner = scriptedModel([[{ name: "free_note", input: {} }], "inner done"]);
  const runnable = createAgent({ model: inner, tools: [free(world)] });
  const model = scriptedModel([hand("compiled"), "done"]);
  const config = { model, subagents: [{ name: "compiled", description, runnable }] };
  expect(() => withAgentKeys(guard, config, { tools: false, strict: true })).toThrow(
    expect.objectContaining({ code: "config_invalid" }),
  );
  const { tools } = await guard.coverage(withAgentKeys(guard, config, { tools: false }));
  expect(tools).toContainEqual({
    name: "free_note",
    how: "raw",
    path: "subagents.compiled.free_note",
  });

  const agent = createDeepAgent(withAgentKeys(guard, config, { tools: false }));
  await agent.invoke({ messages: [{ role: "user", content: "go" }] });
  expect(world.ran).toEqual([]);
  expect(refused(world)).toEqual(["free_note"]);
});
