import { scriptedModel } from "@agentkeys/testing/langchain";
import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import {
  getContextVariable,
  registerConfigureHook,
  setContextVariable,
} from "@langchain/core/context";
import { AsyncLocalStorageProviderSingleton } from "@langchain/core/singletons";
import { MessagesAnnotation, StateGraph } from "@langchain/langgraph";
import { ToolNode } from "@langchain/langgraph/prebuilt";
import { AIMessage } from "@langchain/core/messages";
import { StructuredTool } from "@langchain/core/tools";
import { createAgent, tool } from "langchain";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";
import { answers, free, open, toolCall, type World } from "../test/world.ts";
import { agentKeysTools, guardTools, withAgentKeys } from "./index.ts";

const raw = (world: World) => free(world, "free_note");
const innerOf = (...tools: StructuredTool[]) => {
  const model = scriptedModel([[{ name: tools[0]!.name, input: {} }], "inner done"]);
  return createAgent({ model, tools });
};

/** LangChain prints what its handlers throw. */
function hush() {
  const printed = vi.spyOn(console, "error").mockReturnValue();
  onTestFinished(() => printed.mockRestore());
}

/** Plays a guarded tool whose body is `body`; gives what the log says of raw tools. */
async function inside(world: World, body: () => unknown) {
  hush();
  const outer = scriptedModel([[{ name: "free_delegate", input: {} }], "done"]);
  const tools = [free(world, "free_delegate", body)];
  const result = await createAgent(
    withAgentKeys(world.guard, { model: outer, tools }, { tools: false }),
  ).invoke({ messages: "go" });
  expect(result.messages.at(-1)?.text).toBe("done");
  return world.begun.filter(({ verdict }) => verdict === "deny").map(({ tool: name }) => name);
}

describe("inside a guarded tool a raw one is refused, and recorded", () => {
  const runs: Record<string, (world: World) => Promise<unknown>> = {
    "in an agent": (world) => innerOf(raw(world)).invoke({ messages: "go" }),
    "in an agent with callbacks of its own": (world) =>
      innerOf(raw(world)).invoke({ messages: "go" }, { callbacks: [] }),
    "in an agent that streams": async (world) => {
      for await (const _ of await innerOf(raw(world)).stream({ messages: "go" }));
    },
    "in an agent's agent": (world) => {
      const middle = tool(() => innerOf(raw(world)).invoke({ messages: "go" }), {
        name: "free_middle",
        description: "a guarded tool between",
        schema: z.object({}),
      });
      return innerOf(...guardTools(world.guard, [middle])).invoke({ messages: "go" });
    },
    "in a graph": (world) => {
      const graph = new StateGraph(MessagesAnnotation)
        .addNode("tools", new ToolNode([raw(world)]))
        .addEdge("__start__", "tools")
        .compile();
      const tool_calls = [toolCall("free_note", {})];
      return graph.invoke({ messages: [new AIMessage({ content: "", tool_calls })] });
    },
    "by itself": (world) =>
      raw(world)
        .invoke({})
        .catch(() => {}),
    "after the tool has answered": async (world) => {
      void innerOf(raw(world)).invoke({ messages: "go" });
    },
  };

  test.each(Object.keys(runs))("%s", async (name) => {
    const world = await open();
    expect(await inside(world, () => runs[name]?.(world).then(() => "ok"))).toEqual(["free_note"]);
    expect(world.ran).toEqual(["free_delegate"]);
  });

  test("between the steps of a streaming tool", async () => {
    const world = await open();
    const body = async function* () {
      yield "working";
      await innerOf(raw(world)).invoke({ messages: "go" });
      return "ok";
    };
    expect(await inside(world, body)).toEqual(["free_note"]);
    expect(world.ran).toEqual(["free_delegate"]);
  });
});

describe("left alone", () => {
  test("governed tools inside: guarded ones, and AgentKeys' own", async () => {
    const world = await open();
    const own = agentKeysTools(world.guard.client, { only: ["identity_whoami"] });
    const body = async () => {
      await innerOf(...guardTools(world.guard, [raw(world)])).invoke({ messages: "go" });
      const { messages } = await innerOf(...own).invoke({ messages: "go" });
      world.ran.push(answers({ messages })[0]?.status);
    };
    expect(await inside(world, body)).toEqual([]);
    expect(world.ran).toEqual(["free_delegate", "free_note", "success"]);
  });

  test("what runs after a direct call in the same function, whatever kind of tool was called", async () => {
    const world = await open();
    const { guard, ran } = world;
    const fields = { name: "free_note", description: "notes", schema: z.object({}) };
    const asJson = tool(async () => ran.push("json"), {
      ...fields,
      schema: { type: "object", properties: {} },
    });
    const generator = tool(async function* () {
      yield "working";
      ran.push("generator");
    }, fields);
    const all: StructuredTool[] = [raw(world), asJson, generator];
    for (const guarded of guardTools(guard, all)) {
      await guarded.invoke({});
      await free(world, "unknown").invoke({});
    }
    expect(ran).toEqual(["free_note", "unknown", "json", "unknown", "generator", "unknown"]);
  });

  test("what the program keeps in the context, and its own hook", async () => {
    const world = await open();
    const started: unknown[] = [];
    const handleToolStart: BaseCallbackHandler["handleToolStart"] = (...[, , , , , , name]) => {
      started.push(name);
    };
    const own = BaseCallbackHandler.fromMethods({ handleToolStart });
    registerConfigureHook({ contextVar: "mine", inheritable: true });
    setContextVariable("mine", own);
    const body = async () => {
      expect(getContextVariable("mine")).toBe(own);
      const [inner] = guardTools(world.guard, [raw(world)]);
      await inner.invoke({});
      await expect(raw(world).invoke({})).rejects.toThrow("unguarded_tool");
    };
    expect(await inside(world, body)).toEqual(["free_note"]);
    expect(world.ran).toEqual(["free_delegate", "free_note"]);
    await vi.waitFor(() => expect(started).toEqual(["free_delegate", "free_note", "free_note"]));
  });

  test("the configuration of the run, in a tool that is a class", async () => {
    hush();
    const world = await open();
    class Direct extends StructuredTool {
      name = "free_direct";
      description = "runs where LangChain calls it";
      schema = z.object({});
      async _call() {
        setContextVariable("mine", "set");
        const { configurable } = AsyncLocalStorageProviderSingleton.getRunnableConfig();
        world.ran.push(configurable?.["thread"], getContextVariable("mine"));
        await raw(world).invoke({});
        return "ok";
      }
    }
    const model = scriptedModel([[{ name: "free_direct", input: {} }], "done"]);
    const tools = guardTools(world.guard, [new Direct()]);
    const agent = createAgent({ model, tools });
    await agent.invoke({ messages: "go" }, { configurable: { thread: "mine" } });
    expect(world.ran).toEqual(["mine", "set"]);
    expect(world.begun.map(({ tool: name, verdict }) => [name, verdict])).toEqual([
      ["free_direct", "accept"],
      ["free_note", "deny"],
    ]);
  });

  test("agents beside it and after it, whatever they call", async () => {
    const world = await open();
    const beside = innerOf(free(world, "unknown"));
    await Promise.all([inside(world, () => "ok"), beside.invoke({ messages: "go" })]);
    await innerOf(free(world, "unknown")).invoke({ messages: "go" });
    const [guarded] = guardTools(world.guard, [raw(world)]);
    await guarded.invoke({});
    await free(world, "unknown").invoke({});
    expect(world.ran.filter((name) => name === "unknown")).toHaveLength(3);
  });
});
