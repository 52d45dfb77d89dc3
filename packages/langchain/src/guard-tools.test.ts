import { createGuard, isGuardedBy } from "@agentkeys/core";
import { scriptedModel } from "@agentkeys/testing/langchain";
import { ToolMessage } from "@langchain/core/messages";
import { RunnableLambda } from "@langchain/core/runnables";
import {
  DynamicStructuredTool,
  DynamicTool,
  StructuredTool,
  tool,
  type ToolRuntime,
} from "@langchain/core/tools";
import { Command, ParentCommand } from "@langchain/langgraph";
import { createAgent } from "langchain";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  answers,
  buy,
  denial,
  free,
  open,
  order,
  orderFood,
  toolCall,
  type World,
} from "../test/world.ts";
import { decides } from "./guard-tools.ts";
import { agentKeysTools, guardTools, withAgentKeys } from "./index.ts";

describe("a guarded tool object", () => {
  test("stays what it was: class, name, schema, description", async () => {
    const world = await open();
    const raw = orderFood(world);
    const [guarded] = guardTools(world.guard, [raw]);
    expect(guarded).toBeInstanceOf(DynamicStructuredTool);
    expect(guarded).not.toBe(raw);
    expect([guarded.name, guarded.description, guarded.schema]).toEqual([
      raw.name,
      raw.description,
      raw.schema,
    ]);
    expect(isGuardedBy(guarded, world.guard)).toBe(true);
    expect(isGuardedBy(raw, world.guard)).toBe(false);
  });

  test("called directly: the result itself, or a message with status error", async () => {
    const world = await open();
    const [guarded] = guardTools(world.guard, [orderFood(world)]);
    expect(await guarded.invoke({ price: 200 })).toBe("ordered for 200");
    const denied: unknown = await guarded.invoke({ price: 600 });
    expect(denied).toMatchObject({ status: "error", tool_call_id: "", content: denial });
    expect(denied).toBeInstanceOf(ToolMessage);
    expect(world.ran).toEqual([{ price: 200 }]);
    expect(world.ended).toEqual(["ok"]);
  });

  test("called with a ToolCall: messages that carry its id", async () => {
    const world = await open();
    const [guarded] = guardTools(world.guard, [orderFood(world)]);
    expect(await guarded.invoke(toolCall("order_food", { price: 200 }, "a"))).toMatchObject({
      status: "success",
      tool_call_id: "a",
      content: "ordered for 200",
    });
    expect(await guarded.invoke(toolCall("order_food", { price: 600 }, "b"))).toMatchObject({
      status: "error",
      tool_call_id: "b",
      content: denial,
    });
    expect(world.begun.map(({ call_id }) => call_id)).toEqual(["a", "b"]);
  });

  test("decides on what the schema made of the input", async () => {
    const world = await open();
    const [guarded] = guardTools(world.guard, [orderFood(world)]);
    await guarded.invoke({ price: "600" });
    await guarded.invoke({});
    expect(world.begun.map(({ verdict }) => verdict)).toEqual(["deny", "accept"]);
    expect(world.ran).toEqual([{ price: 200 }]);
  });

  test("validates first: what the schema refuses is never decided", async () => {
    const world = await open();
    const [guarded] = guardTools(world.guard, [orderFood(world)]);
    await expect(guarded.invoke({ price: "a lot" })).rejects.toThrow(/did not match/);
    expect(world.begun).toEqual([]);
  });

  test("runs the copy that was decided on, not the object that somebody still holds", async () => {
    const input = { price: 200 };
    const world = await open((fetch) => async (url, init) => {
      const response = await fetch(url, init);
      input.price = 600;
      return response;
    });
    // JSON Schema: LangChain validates, and hands the caller's own object on.
    const raw = tool((given: object) => world.ran.push(given), {
      name: "order_food",
      description: "orders food",
      schema: { type: "object", properties: { price: { type: "number" } }, required: ["price"] },
    }) as DynamicStructuredTool;
    await guardTools(world.guard, [raw])[0].invoke(input);
    expect(input.price).toBe(600);
    expect(world.ran).toEqual([{ price: 200 }]);
  });

  test("content_and_artifact: a denial is a message, a success keeps its artifact", async () => {
    const world = await open();
    const raw = tool(
      ({ price }) => {
        world.ran.push(price);
        return [`ordered for ${price}`, { receipt: price }];
      },
      {
        name: "order_food",
        description: "orders food",
        schema: order,
        responseFormat: "content_and_artifact",
      },
    );
    const [guarded] = guardTools(world.guard, [raw]);
    expect(await guarded.invoke(toolCall("order_food", { price: 600 }))).toMatchObject({
      status: "error",
      tool_call_id: "c1",
      content: denial,
    });
    expect(await guarded.invoke(toolCall("order_food", { price: 200 }))).toMatchObject({
      status: "success",
      content: "ordered for 200",
      artifact: { receipt: 200 },
    });
    expect(await guarded.invoke({ price: 600 })).toMatchObject({
      status: "error",
      content: denial,
    });
    expect(world.ran).toEqual([200]);
  });

  test("a tool that takes a text is decided on as the model wrote it, and gets its text", async () => {
    const world = await open();
    const seen: unknown[] = [];
    const raw = new DynamicTool({
      name: "text_tool",
      description: "shouts",
      func: (text) => Promise.resolve(text.toUpperCase()),
    });
    const guard = createGuard<{ text_tool: { input: string } }>({
      client: world.guard.client,
      tools: { text_tool: { scope: "web.search", params: (input) => (seen.push(input), {}) } },
    });
    const [guarded] = guardTools(guard, [raw]);
    expect(await guarded.invoke("hello")).toBe("HELLO");
    expect(await guarded.invoke(toolCall("text_tool", { input: "hi" }))).toMatchObject({
      content: "HI",
    });
    expect(seen).toEqual([{ input: "hello" }, { input: "hi" }]);
  });

  test("a class with private state, and a frozen object, work as before", async () => {
    const world = await open();
    class Counter extends StructuredTool {
      name = "free_counter";
      description = "counts";
      schema = z.object({});
      #count = 0;
      protected _call(): Promise<string> {
        this.#count += 1;
        return Promise.resolve(`${this.name} ${this.#count}`);
      }
    }
    const [counter, frozen] = guardTools(world.guard, [
      new Counter(),
      Object.freeze(free(world, "free_frozen")),
    ]);
    expect(await counter.invoke({})).toBe("free_counter 1");
    expect(await counter.invoke({})).toBe("free_counter 2");
    expect(await frozen.invoke({})).toBe("free_frozen ran");
  });

  test("the inner function is guarded too", async () => {
    const world = await open();
    const [guarded] = guardTools(world.guard, [orderFood(world)]);
    expect(await guarded.func({ price: 600 })).toMatchObject({ status: "error" });
    expect(world.ran).toEqual([]);
  });

  test("batch: one decision for each", async () => {
    const world = await open();
    const [guarded] = guardTools(world.guard, [orderFood(world)]);
    const results = await guarded.batch([{ price: 100 }, { price: 600 }, { price: 300 }]);
    expect(results.map((result) => ToolMessage.isInstance(result))).toEqual([false, true, false]);
    expect(world.ran).toEqual([{ price: 100 }, { price: 300 }]);
  });

  test("an error is the tool's own, and recorded", async () => {
    const world = await open();
    const kaput = new Error("kaput");
    const raw = free(world, "free_kaput", () => Promise.reject(kaput));
    const failed = free(
      world,
      "free_failed",
      () => new ToolMessage({ content: "no", status: "error", tool_call_id: "x" }),
    );
    const [one, two] = guardTools(world.guard, [raw, failed]);
    await expect(one.invoke({})).rejects.toBe(kaput);
    await two.invoke({});
    expect(world.ended).toEqual(["error", "error"]);
  });

  test("a command for the parent graph travels as a throw, and is no error", async () => {
    const world = await open();
    const leaving = new ParentCommand(new Command({ graph: Command.PARENT, goto: "elsewhere" }));
    const [guarded] = guardTools(world.guard, [
      free(world, "free_leave", () => Promise.reject(leaving)),
    ]);
    await expect(guarded.invoke({})).rejects.toBe(leaving);
    expect(world.ended).toEqual(["ok"]);
  });

  test("is guarded once by the same guard, and by each of two guards", async () => {
    const world = await open();
    const other = await open();
    const once = guardTools(world.guard, [orderFood(world)]);
    expect(guardTools(world.guard, once)).toEqual(once);
    expect(guardTools(world.guard, once)[0]).toBe(once[0]);
    const [both] = guardTools(other.guard, once);
    await both.invoke({ price: 200 });
    expect([world.begun.length, other.begun.length]).toEqual([1, 1]);
    await both.invoke({ price: 600 });
    expect(world.ran).toHaveLength(1);
  });

  test("what LangChain does not run is left as it is", async () => {
    const { guard } = await open();
    const search = { type: "web_search_20250305", name: "web_search" };
    expect(guardTools(guard, [search])[0]).toBe(search);
    const [own] = agentKeysTools(guard.client);
    expect(guardTools(guard, [own!])[0]).toBe(own);
  });

  test("what somebody puts in the place of its methods does not run under its brand", async () => {
    const world = await open();
    const raw = async () => void world.ran.push("raw");
    const [guarded] = guardTools(world.guard, [orderFood(world)]);
    expect(() => Object.assign(guarded, { _call: raw })).toThrow(TypeError);
    expect(() => Object.assign(guarded, { func: raw })).toThrow(TypeError);
    expect(decides(world.guard, guarded)).toBe(true);
    Object.assign(guarded, { invoke: raw });
    expect(decides(world.guard, guarded)).toBe(false);
    expect(() => guardTools(world.guard, [guarded])).toThrow("no guard reaches order_food");
    const own = agentKeysTools(world.guard.client, { only: ["identity_whoami"] });
    expect(own.every((one) => decides(world.guard, one))).toBe(true);
    expect(decides(world.guard, Object.assign(own[0] as object, { invoke: raw }))).toBe(false);
    expect(world.ran).toEqual([]);
  });

  test("a stranger's tool under the name of an own one is a stranger's", async () => {
    const world = await open();
    agentKeysTools(world.guard.client);
    const [guarded] = guardTools(world.guard, [free(world, "agentkeys_identity_whoami")]);
    expect(await guarded.invoke({})).toMatchObject({ status: "error" });
    expect(world.begun).toMatchObject([{ verdict: "deny" }]);
    expect(world.ran).toEqual([]);
  });

  test("the tool's name is the one that the model sees", async () => {
    const world = await open();
    const [guarded] = guardTools(world.guard, [free(world)]);
    guarded.name = "renamed";
    expect(await guarded.invoke({})).toMatchObject({ status: "error" });
    expect(world.begun).toMatchObject([{ tool: "renamed", verdict: "deny" }]);
  });
});

describe("a runnable as a tool", () => {
  const asTool = (world: World) =>
    RunnableLambda.from(({ price }: { price: number }) => {
      world.ran.push({ price });
      return `ordered for ${price}`;
    }).asTool({
      name: "order_food",
      description: "orders food",
      schema: z.object({ price: z.number() }),
    });

  test("is guarded however it is run", async () => {
    const world = await open();
    const [guarded] = guardTools(world.guard, [asTool(world)]);
    expect(await guarded.invoke({ price: 600 })).toMatchObject({
      status: "error",
      content: denial,
    });
    expect(await guarded.invoke(toolCall("order_food", { price: 600 }))).toMatchObject({
      tool_call_id: "c1",
      status: "error",
    });
    await guarded.batch([{ price: 600 }]);
    for await (const chunk of await guarded.stream({ price: 600 })) {
      expect(chunk).toMatchObject({ status: "error" });
    }
    expect(world.ran).toEqual([]);
    expect(world.begun).toHaveLength(4);
    expect(await guarded.invoke({ price: 200 })).toBe("ordered for 200");
  });

  test("an input in the form of a call does not hide another call", async () => {
    const world = await open();
    const raw = RunnableLambda.from((input: { price: number }) => world.ran.push(input)).asTool({
      name: "order_food",
      description: "orders food",
      schema: z.looseObject({ price: z.number() }),
    });
    const [guarded] = guardTools(world.guard, [raw]);
    // LangChain unwraps once by itself; the guard would read 1, and the runnable 600.
    const hidden = { price: 1, type: "tool_call", args: { price: 600 } };
    const call = toolCall("order_food", { type: "tool_call", args: hidden });
    await expect(guarded.invoke(call)).rejects.toThrow("not a tool's input");
    expect(world.ran).toEqual([]);
  });

  test("in an agent: bad arguments are soft, good ones run", async () => {
    const world = await open();
    const result = await createAgent(
      withAgentKeys(world.guard, {
        model: scriptedModel([[buy("a lot"), buy(200), buy(600)], "done"]),
        tools: [asTool(world)],
      }),
    ).invoke({ messages: "go" });
    expect(answers(result).map(({ status }) => status)).toEqual(["error", "success", "error"]);
    expect(world.ran).toEqual([{ price: 200 }]);
  });
});

describe("generators", () => {
  const counting = (world: World, fail = false) =>
    tool(
      async function* ({ price }) {
        world.ran.push({ price });
        yield { at: 1 };
        yield { at: 2 };
        if (fail) throw new Error("kaput");
        return `counted to ${price}`;
      },
      { name: "order_food", description: "counts", schema: order },
    );
  const watch = async (counter: ReturnType<typeof counting>, price: number) => {
    const events: unknown[] = [];
    const result: unknown = await counter.invoke(
      { price },
      { callbacks: [{ handleToolEvent: (chunk) => void events.push(chunk) }] },
    );
    return { result, events };
  };

  test("yields and result are the same with and without the guard", async () => {
    const world = await open();
    const bare = await watch(counting(world), 2);
    const [guarded] = guardTools(world.guard, [counting(world)]);
    expect(await watch(guarded, 2)).toEqual(bare);
    expect(bare).toEqual({ result: "counted to 2", events: [{ at: 1 }, { at: 2 }] });
    expect(world.ended).toEqual(["ok"]);
  });

  test("a denied one yields nothing; one that fails half way is recorded as an error", async () => {
    const world = await open();
    const [denied, failing] = guardTools(world.guard, [counting(world), counting(world, true)]);
    expect(await watch(denied, 600)).toMatchObject({ result: { status: "error" }, events: [] });
    expect(world.ran).toEqual([]);
    await expect(watch(failing, 2)).rejects.toThrow("kaput");
    expect(world.ended).toEqual(["error"]);
  });

  test("one whose reader goes away is recorded as aborted", async () => {
    const world = await open();
    const [guarded] = guardTools(world.guard, [counting(world)]);
    const generator = (await guarded.func({ price: 2 })) as unknown as AsyncGenerator;
    expect(await generator.next()).toEqual({ done: false, value: { at: 1 } });
    await generator.return(undefined);
    expect(world.ended).toEqual(["aborted"]);
  });

  test.each(["guarded", "bare"])("every stream mode sees the same (%s)", async (kind) => {
    const world = await open();
    const writes = tool(
      (_, runtime: ToolRuntime) => {
        runtime.writer?.({ progress: 1 });
        return "written";
      },
      { name: "free_writer", description: "writes", schema: z.object({}) },
    );
    const config = {
      model: scriptedModel([[buy(2), { name: "free_writer", input: {} }], "done"]),
      tools: [counting(world), writes],
    };
    const agent = createAgent(
      kind === "bare" ? config : withAgentKeys(world.guard, config, { tools: false }),
    );
    const seen: Record<string, unknown[]> = { tools: [], custom: [], updates: [] };
    const stream = await agent.stream(
      { messages: "go" },
      { streamMode: ["tools", "custom", "updates"] },
    );
    for await (const [mode, chunk] of stream as AsyncIterable<[string, object]>) {
      seen[mode]?.push(mode === "updates" ? Object.keys(chunk) : chunk);
    }
    expect(seen["custom"]).toEqual([{ progress: 1 }]);
    expect(seen["updates"]).toEqual([["model_request"], ["tools"], ["tools"], ["model_request"]]);
    const events = seen["tools"] as { event: string; name: string; data?: unknown }[];
    const shape = events.map(({ event, name, data }) => [event, name, data]);
    expect(shape.filter(([, name]) => name === "order_food")).toEqual([
      ["on_tool_start", "order_food", undefined],
      ["on_tool_event", "order_food", { at: 1 }],
      ["on_tool_event", "order_food", { at: 2 }],
      ["on_tool_end", "order_food", undefined],
    ]);
  });
});
