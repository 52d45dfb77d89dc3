import { scriptedModel } from "@agentkeys/testing/langchain";
import { RunnableLambda } from "@langchain/core/runnables";
import { createAgent, createMiddleware, type StructuredTool, tool } from "langchain";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { free, open, orderFood } from "../test/world.ts";
import { agentKeysMiddleware, agentKeysTools, guardTools, withAgentKeys } from "./index.ts";

const search = { type: "web_search_20250305", name: "web_search" };
const model = scriptedModel(["done"]);

describe("guard.coverage", () => {
  test("tells of each tool of a list how it is governed", async () => {
    const world = await open();
    const mcp = tool(() => "", {
      name: "remote",
      description: "",
      schema: z.object({}),
      metadata: { annotations: { readOnlyHint: true } },
    });
    const [patched] = guardTools(world.guard, [free(world, "free_patched")]);
    Object.assign(patched, { invoke: () => "past the guard" });
    const { tools, unused } = await world.guard.coverage([
      ...guardTools(world.guard, [orderFood(world)]),
      ...agentKeysTools(world.guard.client, { only: ["memory_get"] }),
      free(world),
      mcp,
      patched,
      search,
    ]);
    expect(Object.fromEntries(tools.map(({ name, how }) => [name, how]))).toEqual({
      order_food: "guarded",
      agentkeys_memory_get: "agentkeys",
      free_note: "raw",
      remote: "mcp",
      free_patched: "raw",
      web_search: "provider-executed",
    });
    expect(unused).toEqual([]);
  });

  test.each(["configuration", "agent"])("looks into an %s", async (kind) => {
    const world = await open();
    const adding = createMiddleware({ name: "Adding", tools: [free(world)] });
    const config = withAgentKeys(world.guard, { model, tools: [search], middleware: [adding] });
    const { tools, unused } = await world.guard.coverage(
      kind === "agent" ? createAgent(config) : config,
    );
    expect(tools).toContainEqual({
      name: "free_note",
      how: "guarded",
      path: "free_note",
    });
    expect(tools).toContainEqual({
      name: "web_search",
      how: "provider-executed",
      path: "web_search",
    });
    expect(tools.filter(({ how }) => how === "agentkeys").length).toBeGreaterThan(0);
    expect(unused).toEqual(["order_food"]);
  });

  test("without the guard's middleware what other middlewares bring is raw", async () => {
    const world = await open();
    const other = await open();
    const adding = createMiddleware({ name: "Adding", tools: [free(world)] });
    const middleware = [adding, agentKeysMiddleware(other.guard)];
    const { tools } = await world.guard.coverage({ model, tools: [], middleware });
    expect(tools.map(({ how }) => how)).toEqual(["raw"]);
  });
});

describe("the configuration of a deep agent", () => {
  const subagents = (tools: StructuredTool[]) => [
    { name: "worker", description: "works", systemPrompt: "work", tools },
  ];

  test("has its sub-agents guarded, and the one that deepagents would add", async () => {
    const world = await open();
    const config = { model, tools: [orderFood(world)], subagents: subagents([free(world)]) };
    const guarded = withAgentKeys(world.guard, config, { tools: false, strict: true });
    const { tools } = await world.guard.coverage(guarded);
    expect(tools).toEqual([
      { name: "order_food", how: "guarded", path: "order_food" },
      { name: "order_food", how: "guarded", path: "subagents.general-purpose.order_food" },
      { name: "free_note", how: "guarded", path: "subagents.worker.free_note" },
    ]);
    const [general, worker] = guarded.subagents as unknown as { middleware: object[] }[];
    expect(general?.middleware).toHaveLength(1);
    expect(worker?.middleware).toHaveLength(1);
    expect(general).not.toHaveProperty("tools");
    const before = await world.guard.coverage(config);
    expect(before.tools.map(({ how }) => how)).toEqual(["raw", "raw"]);
  });

  test("a compiled sub-agent is looked into; strict refuses one that cannot be, or is raw", async () => {
    const world = await open();
    const strictly = (runnable: unknown) => () =>
      withAgentKeys(
        world.guard,
        {
          model,
          tools: [orderFood(world)],
          subagents: [{ name: "worker", description: "works", runnable }],
        },
        { tools: false, strict: true },
      );
    const refusal = expect.objectContaining({ code: "config_invalid" });
    expect(strictly(RunnableLambda.from(() => "opaque"))).toThrow(refusal);
    expect(strictly(createAgent({ model, tools: [free(world)] }))).toThrow(refusal);
    const guarded = withAgentKeys(world.guard, { model, tools: [free(world)] }, { tools: false });
    expect(strictly(createAgent(guarded))).not.toThrow();
  });
});
