import { scriptedModel } from "@agentkeys/testing/langchain";
import { AIMessage, type BaseMessage, HumanMessage, ToolMessage } from "@langchain/core/messages";
import { RunnableLambda } from "@langchain/core/runnables";
import {
  type DynamicStructuredTool,
  StructuredTool,
  tool,
  type ToolRuntime,
} from "@langchain/core/tools";
import {
  Command,
  interrupt,
  MemorySaver,
  MessagesAnnotation,
  StateGraph,
} from "@langchain/langgraph";
import { ToolNode } from "@langchain/langgraph/prebuilt";
import {
  type AgentMiddleware,
  createAgent,
  createMiddleware,
  humanInTheLoopMiddleware,
  toolErrorMiddleware,
  toolRetryMiddleware,
  toolStrategy,
} from "langchain";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  answers,
  bodyOf,
  buy,
  denial,
  free,
  open,
  orderFood,
  toolCall,
  type World,
} from "../test/world.ts";
import { agentKeysMiddleware, guardTools, withAgentKeys } from "./index.ts";

describe("the middleware", () => {
  const adding = (...tools: StructuredTool[]) => createMiddleware({ name: "Adding", tools });

  test("decides on the tools of other middlewares, and on names that nobody has", async () => {
    const world = await open();
    const agent = createAgent({
      model: scriptedModel([[buy(600), buy(200), { name: "invented", input: {} }], "done"]),
      tools: [],
      middleware: [adding(orderFood(world)), agentKeysMiddleware(world.guard)],
    });
    const result = await agent.invoke({ messages: "go" });
    expect(answers(result)).toMatchObject([
      { name: "order_food", status: "error", text: denial },
      { name: "order_food", text: "ordered for 200" },
      { name: "invented", status: "error", text: expect.stringContaining("Denied by AgentKeys") },
    ]);
    expect(world.ran).toEqual([{ price: 200 }]);
    expect(world.begun.map(({ verdict }) => verdict).toSorted()).toEqual([
      "accept",
      "deny",
      "deny",
    ]);
    expect(world.ended).toEqual(["ok"]);
  });

  test("parses the input of an unguarded tool once", async () => {
    const world = await open();
    const doubled = tool(({ price }) => world.ran.push(price), {
      name: "order_food",
      description: "orders twice",
      schema: z.object({ price: z.number().transform((n) => n * 2) }),
    });
    const agent = createAgent({
      model: scriptedModel([[buy(250), buy(251)], "done"]),
      tools: [doubled],
      middleware: [agentKeysMiddleware(world.guard)],
    });
    await agent.invoke({ messages: "go" });
    expect(world.ran).toEqual([500]);
    expect(world.begun.map(({ verdict }) => verdict)).toEqual(["accept", "deny"]);
  });

  test.each(["outside", "inside"])(
    "decides on a dynamic tool whose provider is %s",
    async (where) => {
      const world = await open();
      const dynamic = orderFood(world);
      const provider = createMiddleware({
        name: "Provider",
        wrapModelCall: (request, handler) =>
          handler({ ...request, tools: [...request.tools, dynamic] }),
        wrapToolCall: (request, handler) =>
          handler(request.toolCall.name === dynamic.name ? { ...request, tool: dynamic } : request),
      });
      const seam = agentKeysMiddleware(world.guard);
      const agent = createAgent({
        model: scriptedModel([[buy(600), buy(200)], "done"]),
        tools: [],
        middleware: where === "outside" ? [provider, seam] : [seam, provider],
      });
      expect(answers(await agent.invoke({ messages: "go" }))).toMatchObject([
        { status: "error", text: denial },
        { text: "ordered for 200" },
      ]);
      expect(world.ran).toEqual([{ price: 200 }]);
      expect(world.ended).toEqual(["ok"]);
    },
  );

  test("passes on what was decided, not arguments that somebody still holds", async () => {
    let held: Record<string, unknown> = {};
    const world = await open((fetch) => async (url, init) => {
      const response = await fetch(url, init);
      held["price"] = 600;
      return response;
    });
    const dynamic = tool((given: object) => world.ran.push(given), {
      name: "order_food",
      description: "orders food",
      schema: { type: "object", properties: { price: { type: "number" } } },
    });
    const holding = createMiddleware({
      name: "Holding",
      wrapToolCall: (request, handler) => {
        held = request.toolCall.args;
        return handler(request);
      },
    });
    const provider = createMiddleware({
      name: "Provider",
      wrapToolCall: (request, handler) => handler({ ...request, tool: dynamic }),
    });
    const agent = createAgent({
      model: scriptedModel([[buy(200)], "done"]),
      tools: [],
      middleware: [holding, agentKeysMiddleware(world.guard), provider],
    });
    await agent.invoke({ messages: "go" });
    expect(held["price"]).toBe(600);
    expect(world.ran).toEqual([{ price: 200 }]);
  });

  test.each(["outside", "inside"])("decides on arguments rewritten %s of it", async (where) => {
    const world = await open();
    const rewriting = createMiddleware({
      name: "Rewriting",
      wrapToolCall: (request, handler) =>
        handler({ ...request, toolCall: { ...request.toolCall, args: { price: 600 } } }),
    });
    const seam = agentKeysMiddleware(world.guard);
    const agent = createAgent({
      model: scriptedModel([[buy(200)], "done"]),
      tools: [orderFood(world)],
      middleware: where === "outside" ? [rewriting, seam] : [seam, rewriting],
    });
    expect(answers(await agent.invoke({ messages: "go" }))).toMatchObject([{ text: denial }]);
    expect(world.ran).toEqual([]);
  });

  test("a middleware that runs the tool by itself meets the guarded object", async () => {
    const world = await open();
    const impatient = createMiddleware({
      name: "Impatient",
      wrapToolCall: ({ tool: object, toolCall: call }) =>
        (object as DynamicStructuredTool).invoke({ ...call, type: "tool_call" }),
    });
    const agent = createAgent(
      withAgentKeys(world.guard, {
        model: scriptedModel([[buy(600), buy(200)], "done"]),
        tools: [orderFood(world)],
        middleware: [impatient],
      }),
    );
    expect(answers(await agent.invoke({ messages: "go" }))).toMatchObject([
      { status: "error", text: denial },
      { status: "success" },
    ]);
    expect(world.ran).toEqual([{ price: 200 }]);
    expect(world.begun).toHaveLength(2);
  });

  test("a tool with an invoke of its own may never reach the guard: refused, wherever it comes from", async () => {
    const world = await open();
    const patched = orderFood(world);
    const invoke = patched.invoke.bind(patched);
    patched.invoke = (input: never) => invoke(input);
    const bound = RunnableLambda.from(() => world.ran.push("bound")).asTool({
      name: "order_food",
      schema: z.object({}),
    });
    bound.invoke = () => Promise.resolve(world.ran.push("past the guard"));
    class Calling extends StructuredTool {
      name = "order_food";
      description = "orders food its own way";
      schema = z.object({});
      override call(): Promise<never> {
        return Promise.resolve(world.ran.push("called") as never);
      }
      protected _call(): Promise<string> {
        return Promise.resolve("never reached");
      }
    }
    for (const own of [patched, bound, new Calling()]) {
      const refusal = expect.objectContaining({ code: "config_invalid" });
      expect(() => guardTools(world.guard, [own])).toThrow(refusal);
    }
    const agent = createAgent(
      withAgentKeys(world.guard, {
        model: scriptedModel([[buy(200)], "done"]),
        middleware: [adding(patched)],
      }),
    );
    expect(answers(await agent.invoke({ messages: "go" }))).toMatchObject([
      { status: "error", text: expect.stringContaining("Denied by AgentKeys: unguarded_tool") },
    ]);
    expect(world.ran).toEqual([]);
    expect(world.begun).toMatchObject([{ tool: "order_food", verdict: "deny" }]);
  });

  test("asks about all calls of a turn at once", async () => {
    let waiting = 0;
    let release: () => void = () => undefined;
    const together = new Promise<void>((resolve) => (release = resolve));
    const world = await open((fetch) => async (url, init) => {
      if (!bodyOf(init).includes('"guard/begin"')) return fetch(url, init);
      waiting += 1;
      if (waiting === 3) release();
      await together;
      return fetch(url, init);
    });
    const agent = createAgent(
      withAgentKeys(world.guard, {
        model: scriptedModel([[buy(1), buy(2), buy(3)], "done"]),
        tools: [orderFood(world)],
      }),
    );
    await agent.invoke({ messages: "go" });
    expect(world.ran).toHaveLength(3);
  });

  test.each(["v1", "v2"] as const)("createAgent version %s", async (version) => {
    const world = await open();
    const agent = createAgent({
      version,
      ...withAgentKeys(world.guard, {
        model: scriptedModel([[buy(600), buy(200)], "done"]),
        tools: [orderFood(world)],
      }),
    });
    const result = await agent.invoke({ messages: "go" });
    expect(answers(result).map(({ text }) => text)).toEqual([denial, "ordered for 200"]);
    expect(result.messages.at(-1)?.text).toBe("done");
  });

  test("structured output is no tool call, and stays as it is", async () => {
    const world = await open();
    const strategy = toolStrategy(z.object({ total: z.number() }));
    const [{ name }] = strategy as unknown as [{ name: string }];
    const agent = createAgent(
      withAgentKeys(world.guard, {
        model: scriptedModel([[buy(200)], [{ name, input: { total: 200 } }]]),
        tools: [orderFood(world)],
        responseFormat: strategy,
      }),
    );
    const { structuredResponse } = await agent.invoke({ messages: "go" });
    expect(structuredResponse).toEqual({ total: 200 });
    expect(world.begun).toHaveLength(1);
  });

  test("context, state and commands go through", async () => {
    const world = await open();
    const runtimeTool = tool(
      (_, runtime: ToolRuntime<unknown, { user: string }>) => {
        const { messages } = runtime.state as { messages: BaseMessage[] };
        world.ran.push([runtime.context.user, messages.length, runtime.toolCallId]);
        return new Command({
          update: {
            messages: [
              new ToolMessage({ content: "handed over", tool_call_id: runtime.toolCallId }),
              new HumanMessage("and more"),
            ],
          },
        });
      },
      { name: "free_handover", description: "hands over", schema: z.object({}) },
    );
    const agent = createAgent(
      withAgentKeys(world.guard, {
        model: scriptedModel([[{ name: "free_handover", input: {}, id: "h" }], "done"]),
        tools: [runtimeTool],
        contextSchema: z.object({ user: z.string() }),
      }),
    );
    const { messages } = await agent.invoke({ messages: "go" }, { context: { user: "ann" } });
    expect(world.ran).toEqual([["ann", 2, "h"]]);
    expect(messages.map(({ text }) => text)).toEqual(["go", "", "handed over", "and more", "done"]);
    expect(world.ended).toEqual(["ok"]);
  });

  test("after a denial of a returnDirect tool the model goes on", async () => {
    const world = await open();
    const direct = orderFood(world);
    direct.returnDirect = true;
    const model = scriptedModel([[buy(600)], [buy(200)], "never said"]);
    const { messages } = await createAgent(
      withAgentKeys(world.guard, { model, tools: [direct] }),
    ).invoke({ messages: "go" });
    expect(messages.at(-1)?.text).toBe("ordered for 200");
    expect(model.calls).toHaveLength(2);
  });
});

describe("errors keep their meaning", () => {
  // LangChain's middlewares with a context schema do not fit its own createAgent under exactOptionalPropertyTypes.
  const retry = () => toolRetryMiddleware({ maxRetries: 3, initialDelayMs: 0 }) as AgentMiddleware;
  const kaput = (world: World, thrown: unknown = new Error("kaput")) =>
    free(world, "free_kaput", () => Promise.reject(thrown));
  interface Config {
    tools: StructuredTool[];
    middleware?: AgentMiddleware[];
    signal?: AbortSignal;
  }
  const run = (config: Config, world?: World) => {
    const script = [[{ name: "free_kaput", input: {} }, buy("a lot")], "done"] as const;
    const full = { model: scriptedModel(script), ...config };
    return createAgent(world ? withAgentKeys(world.guard, full, { tools: false }) : full).invoke({
      messages: "go",
    });
  };
  /** A ToolInvocationError quotes its stack. */
  const withoutStack = (list: ReturnType<typeof answers>) =>
    list.map((answer) => ({ ...answer, text: answer.text.replace(/\n +at .*/g, "") }));

  test.each([
    ["an error", new Error("kaput")],
    ["a text", "kaput"],
    ["undefined", undefined],
  ])("thrown %s and bad arguments read as without the guard", async (_, thrown) => {
    const world = await open();
    const tools = [kaput(world, thrown), orderFood(world)];
    const bare = withoutStack(answers(await run({ tools })));
    expect(withoutStack(answers(await run({ tools }, world)))).toEqual(bare);
    expect(bare.map(({ status }) => status)).toEqual(["error", "error"]);
    expect(world.begun).toHaveLength(1);
    expect(world.ended).toEqual(["error"]);
    const unguarded = { tools, middleware: [agentKeysMiddleware(world.guard)] };
    expect(withoutStack(answers(await run(unguarded)))).toEqual(bare);
  });

  test("a retry outside sees them; every attempt is decided", async () => {
    const world = await open();
    let attempts = 0;
    const flaky = free(world, "free_kaput", () => {
      attempts += 1;
      if (attempts < 3) throw new Error("not yet");
      return "at last";
    });
    const middleware = [retry()];
    const result = await run({ tools: [flaky, orderFood(world)], middleware }, world);
    expect(answers(result)[0]).toMatchObject({ text: "at last" });
    expect(world.begun.filter(({ tool: name }) => name === "free_kaput")).toHaveLength(3);
    expect(world.ended.toSorted()).toEqual(["error", "error", "ok"]);
  });

  test("so does a handler of errors, and what nobody handles ends the run as it did", async () => {
    const world = await open();
    const tools = [kaput(world), orderFood(world)];
    const handles = toolErrorMiddleware({
      onError: (error) => `mine: ${(error as Error).message}`,
    });
    const handled = answers(await run({ tools, middleware: [handles] }, world));
    expect(handled[0]).toMatchObject({ status: "error", text: "mine: kaput" });
    const noop = createMiddleware({ name: "Noop", wrapToolCall: (q, handler) => handler(q) });
    await expect(run({ tools, middleware: [noop] })).rejects.toThrow("kaput");
    await expect(run({ tools, middleware: [noop] }, world)).rejects.toThrow("kaput");
  });

  test("a denial is no error: a retry outside does not repeat it", async () => {
    const world = await open();
    const agent = createAgent(
      withAgentKeys(world.guard, {
        model: scriptedModel([[buy(600)], "done"]),
        tools: [orderFood(world)],
        middleware: [retry()],
      }),
    );
    expect(answers(await agent.invoke({ messages: "go" }))).toMatchObject([{ text: denial }]);
    expect(world.begun).toHaveLength(1);
  });

  test("the agent's own signal ends the run", async () => {
    const world = await open();
    const stop = new AbortController();
    const stopping = free(world, "free_kaput", () => {
      stop.abort(new Error("enough"));
      return new Promise(() => undefined);
    });
    await expect(
      run({ tools: [stopping, orderFood(world)], signal: stop.signal }, world),
    ).rejects.toThrow("enough");
    expect(world.ended).toEqual(["aborted"]);
  });
});

describe("interrupts", () => {
  const asking = (world: World, name: string) =>
    free(world, name, () => `${name}: ${interrupt<string, string>(`may I ${name}?`)}`);

  test.each(["guarded object", "middleware alone"])(
    "pass, and the run resumes (%s)",
    async (layer) => {
      const world = await open();
      const config = {
        model: scriptedModel([
          [
            { name: "free_a", input: {} },
            { name: "free_b", input: {} },
          ],
          "done",
        ]),
        tools: [asking(world, "free_a"), asking(world, "free_b")],
        checkpointer: new MemorySaver(),
      };
      const agent = createAgent(
        layer === "guarded object"
          ? withAgentKeys(world.guard, config)
          : { ...config, middleware: [agentKeysMiddleware(world.guard)] },
      );
      const thread = { configurable: { thread_id: "t" } };
      const asked = (await agent.invoke({ messages: "go" }, thread)) as {
        __interrupt__?: { id: string; value: string }[];
      };
      expect(asked.__interrupt__?.map(({ value }) => value).toSorted()).toEqual([
        "may I free_a?",
        "may I free_b?",
      ]);
      expect(world.ended).toEqual(["suspended", "suspended"]);
      const resume = Object.fromEntries((asked.__interrupt__ ?? []).map(({ id }) => [id, "yes"]));
      const result = await agent.invoke(new Command({ resume }), thread);
      expect(answers(result).map(({ text }) => text)).toEqual(["free_a: yes", "free_b: yes"]);
      expect(world.ended).toEqual(["suspended", "suspended", "ok", "ok"]);
      expect(result.messages.at(-1)?.text).toBe("done");
    },
  );

  test("what a person edited is decided anew", async () => {
    const world = await open();
    const asked = { interruptOn: { order_food: true } };
    const agent = createAgent(
      withAgentKeys(world.guard, {
        model: scriptedModel([[buy(200)], "done"]),
        tools: [orderFood(world)],
        middleware: [humanInTheLoopMiddleware(asked as never) as AgentMiddleware],
        checkpointer: new MemorySaver(),
      }),
    );
    const thread = { configurable: { thread_id: "t" } };
    await agent.invoke({ messages: "go" }, thread);
    expect(world.begun).toEqual([]);
    const editedAction = { name: "order_food", args: { price: 600 } };
    const resume = { decisions: [{ type: "edit", editedAction }] };
    const result = await agent.invoke(new Command({ resume }), thread);
    expect(answers(result)).toMatchObject([{ status: "error", text: denial }]);
    expect(world.ran).toEqual([]);
  });

  test("a graph of one's own with the prebuilt ToolNode: denied, run, interrupted, resumed", async () => {
    const world = await open();
    const tools = guardTools(world.guard, [orderFood(world), asking(world, "free_a")]);
    const graph = new StateGraph(MessagesAnnotation)
      .addNode("tools", new ToolNode([...tools]))
      .addEdge("__start__", "tools")
      .compile({ checkpointer: new MemorySaver() });
    const thread = { configurable: { thread_id: "t" } };
    const calls = (...tool_calls: ReturnType<typeof toolCall>[]) => ({
      messages: [new AIMessage({ content: "", tool_calls })],
    });
    const first = await graph.invoke(
      calls(
        toolCall("order_food", { price: 600 }, "1"),
        toolCall("order_food", { price: 200 }, "2"),
      ),
      thread,
    );
    expect(answers(first)).toMatchObject([
      { status: "error", text: denial },
      { status: "success", text: "ordered for 200" },
    ]);
    await graph.invoke(calls(toolCall("free_a", {}, "3")), thread);
    const resumed = await graph.invoke(new Command({ resume: "yes" }), thread);
    expect(answers(resumed).at(-1)).toMatchObject({ text: "free_a: yes" });
    expect(world.ended).toEqual(["ok", "suspended", "ok"]);
  });
});
