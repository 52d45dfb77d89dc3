import { scriptedModel } from "@agentkeys/testing/langchain";
import { AIMessage, type BaseMessage } from "@langchain/core/messages";
import { RunnableLambda } from "@langchain/core/runnables";
import { StructuredTool, tool } from "@langchain/core/tools";
import {
  Command,
  interrupt,
  MemorySaver,
  MessagesAnnotation,
  StateGraph,
} from "@langchain/langgraph";
import { ToolNode } from "@langchain/langgraph/prebuilt";
import { type AgentMiddleware, createAgent, createMiddleware } from "langchain";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { answers, free, open, toolCall, type World } from "../test/world.ts";
import { agentKeysMiddleware, type ApprovalInterrupt, guardTools, withAgentKeys } from "./index.ts";

interface Asked {
  messages: BaseMessage[];
  __interrupt__?: { id: string; value: ApprovalInterrupt }[];
}
const interrupts = (result: unknown) => (result as Asked).__interrupt__ ?? [];
const thread = { configurable: { thread_id: "a#1" } };
const call = (name: string, input: object = {}) => ({ name, input, id: name });
const approve = { decisions: [{ type: "approve" as const }] };
const reject = { decisions: [{ type: "reject" as const }] };
const resume = (value: unknown) => new Command({ resume: value });
const go = { messages: "go" };

/** An agent of one turn of calls; another one with the same saver is the same thread in another process. */
function agentOf(
  world: World,
  names: readonly string[],
  options: {
    saver?: MemorySaver | undefined;
    tools?: StructuredTool[];
    middleware?: AgentMiddleware[];
  } = {},
) {
  const { saver, tools = names.map((name) => free(world, name)), middleware = [] } = options;
  const calls = names.map((name) => call(name));
  return createAgent(
    withAgentKeys(
      world.guard,
      {
        model: scriptedModel([calls, "done"]),
        tools,
        middleware,
        ...(saver && { checkpointer: saver }),
      },
      { tools: false },
    ),
  );
}

describe("a call that a person is asked about", () => {
  test("interrupts in the form of LangChain's own middleware, is approved, resumed, and runs once", async () => {
    const world = await open();
    const agent = agentOf(world, ["ask_mail"], { saver: new MemorySaver() });
    const [asked] = interrupts(await agent.invoke(go, thread));
    const [approval] = await world.operator.approvals.list();
    expect(approval).toMatchObject({ tool: "ask_mail", call_id: "ask_mail", status: "pending" });
    expect(approval?.run_key).toMatch(/^a%231#tools:/);
    const { id, digest, text, call_id, expires_at } = approval!;
    expect(asked?.value).toEqual({
      actionRequests: [{ name: "ask_mail", args: {}, description: text }],
      reviewConfigs: [{ actionName: "ask_mail", allowedDecisions: ["approve", "reject"] }],
      approval: { id, digest, text, call_id, expires_at },
    });
    expect(world.ran).toEqual([]);
    await world.decide("approve", "ask_mail");
    const result = await agent.invoke(resume(approve), thread);
    expect(answers(result)).toMatchObject([{ status: "success", text: "ask_mail ran" }]);
    expect(interrupts(result)).toEqual([]);
    expect(world.ran).toEqual(["ask_mail"]);
    expect(world.ended).toEqual(["ok"]);
  });

  test("is denied, and the model reads by whom and why", async () => {
    const world = await open();
    const agent = agentOf(world, ["ask_mail"], { saver: new MemorySaver() });
    await agent.invoke(go, thread);
    await world.decide("deny", "ask_mail");
    const result = await agent.invoke(resume(approve), thread);
    expect(answers(result)).toMatchObject([
      { status: "error", text: expect.stringMatching(/approval_denied.*tested/) },
    ]);
    expect(result.messages.at(-1)?.text).toBe("done");
    expect(world.ran).toEqual([]);
  });

  test("resumed before the decision it waits again, whatever the resume says", async () => {
    const world = await open();
    const agent = agentOf(world, ["ask_mail"], { saver: new MemorySaver() });
    const [first] = interrupts(await agent.invoke(go, thread));
    for (const claim of [approve, { [first!.id]: approve }, true, "yes", { approved: true }]) {
      expect(interrupts(await agent.invoke(resume(claim), thread))).toEqual([first]);
    }
    expect(await world.operator.approvals.list()).toHaveLength(1);
    expect(world.ran).toEqual([]);
    await world.decide("approve", "ask_mail");
    await agent.invoke(resume(approve), thread);
    expect(world.ran).toEqual(["ask_mail"]);
  });

  test("a rejection takes the ask back: it narrows, so it needs no operator", async () => {
    const world = await open();
    const agent = agentOf(world, ["ask_mail"], { saver: new MemorySaver() });
    await agent.invoke(go, thread);
    const result = await agent.invoke(resume(reject), thread);
    expect(answers(result)).toMatchObject([
      { status: "error", text: expect.stringContaining("approval_withdrawn") },
    ]);
    expect(await world.operator.approvals.list()).toMatchObject([{ status: "withdrawn" }]);
    expect(world.ran).toEqual([]);
  });

  test("two in one turn, one yes and one no, beside one that needs nobody", async () => {
    const world = await open();
    const agent = agentOf(world, ["ask_yes", "free_note", "ask_no"], { saver: new MemorySaver() });
    const asked = interrupts(await agent.invoke(go, thread));
    expect(asked.map(({ value }) => value.actionRequests[0]?.name)).toEqual(["ask_yes", "ask_no"]);
    expect(world.ran).toEqual(["free_note"]);
    await world.decide("approve", "ask_yes");
    const half = await agent.invoke(resume({ [asked[0]!.id]: approve }), thread);
    expect(interrupts(half)).toEqual([asked[1]]);
    await world.decide("deny", "ask_no");
    const result = await agent.invoke(resume({ [asked[1]!.id]: approve }), thread);
    expect(answers(result).map(({ name, status }) => [name, status])).toEqual([
      ["ask_yes", "success"],
      ["free_note", "success"],
      ["ask_no", "error"],
    ]);
    expect(world.ran).toEqual(["free_note", "ask_yes"]);
  });

  test("two resumes at once run it once", async () => {
    const world = await open();
    const saver = new MemorySaver();
    await agentOf(world, ["ask_mail"], { saver }).invoke(go, thread);
    await world.decide("approve", "ask_mail");
    const both = [1, 2].map(() => agentOf(world, ["ask_mail"], { saver }));
    await Promise.allSettled(both.map((agent) => agent.invoke(resume(approve), thread)));
    expect(world.ran).toEqual(["ask_mail"]);
  });

  test("what was edited after the approval is asked about anew", async () => {
    const world = await open();
    const saver = new MemorySaver();
    const mail = tool(({ to }) => world.ran.push(to), {
      name: "ask_mail",
      description: "mails",
      schema: z.object({ to: z.string() }),
    });
    const model = scriptedModel([[call("ask_mail", { to: "ann" })], "done"]);
    const config = { model, tools: [mail], checkpointer: saver };
    const agent = createAgent(withAgentKeys(world.guard, config, { tools: false }));
    await agent.invoke(go, thread);
    await world.decide("approve", "ask_mail");
    const state = await agent.graph.getState(thread);
    const last = (state.values as Asked).messages.at(-1) as unknown as {
      tool_calls: { args: object }[];
    };
    last.tool_calls[0]!.args = { to: "eve" };
    await agent.graph.updateState(thread, { messages: [last] }, "model_request");
    const [asked] = interrupts(await agent.invoke(null as never, thread));
    expect(asked?.value.actionRequests[0]?.args).toEqual({ to: "eve" });
    expect(world.ran).toEqual([]);
  });

  test("without a checkpointer: denied, and the run goes on", async () => {
    const world = await open();
    const result = await agentOf(world, ["ask_mail", "free_note"]).invoke(go);
    expect(answers(result)).toMatchObject([
      { status: "error", text: expect.stringContaining("Denied by AgentKeys: approval_required") },
      { status: "success" },
    ]);
    expect(result.messages.at(-1)?.text).toBe("done");
    expect(world.ran).toEqual(["free_note"]);
  });

  test("without a checkpointer a guard that waits has the person's answer in the same run", async () => {
    const world = await open(undefined, { approval: { waitMs: 20_000 } });
    const run = agentOf(world, ["ask_mail"]).invoke(go);
    for await (const { status } of world.operator.approvals.watch()) {
      if (status !== "pending") break;
      await world.decide("approve", "ask_mail");
    }
    expect(answers(await run)).toMatchObject([{ text: "ask_mail ran" }]);
    expect(world.ran).toEqual(["ask_mail"]);
  });
});

describe("interrupts of the tool itself", () => {
  const asks = (world: World) =>
    free(world, "ask_mail", () => `sent to ${interrupt<string, string>("to whom?")}`);

  test.each(["by id", "by value"])(
    "get their own answers, not the one to ours (%s)",
    async (how) => {
      const world = await open();
      const agent = agentOf(world, ["ask_mail"], {
        saver: new MemorySaver(),
        tools: [asks(world)],
      });
      let [asked] = interrupts(await agent.invoke(go, thread));
      const answer = async (value: unknown) => {
        const given = how === "by id" ? { [asked!.id]: value } : value;
        const result = await agent.invoke(resume(given), thread);
        [asked] = interrupts(result);
        return result;
      };
      await answer(approve); // early
      await world.decide("approve", "ask_mail");
      await answer(approve);
      expect(asked?.value).toBe("to whom?");
      expect(answers(await answer("ann"))).toMatchObject([{ text: "sent to ann" }]);
      expect(world.ran).toEqual(["ask_mail", "ask_mail"]);
      expect(world.ended).toEqual(["suspended", "ok"]);
    },
  );

  test("a tool of one's own class finds its run", async () => {
    const world = await open();
    class Asking extends StructuredTool {
      name = "ask_mail";
      description = "asks";
      schema = z.object({});
      protected _call(): Promise<string> {
        return Promise.resolve(`sent to ${interrupt<string, string>("to whom?")}`);
      }
    }
    const options = { saver: new MemorySaver(), tools: [new Asking()] };
    const agent = agentOf(world, ["ask_mail"], options);
    await agent.invoke(go, thread);
    await world.decide("approve", "ask_mail");
    const [asked] = interrupts(await agent.invoke(resume(approve), thread));
    expect(asked?.value).toBe("to whom?");
    expect(answers(await agent.invoke(resume("ann"), thread))).toMatchObject([
      { text: "sent to ann" },
    ]);
  });

  test("a streaming tool waits for its approval, then streams", async () => {
    const world = await open();
    const streaming = tool(
      async function* () {
        yield "writing";
        world.ran.push("streamed");
        return "sent";
      },
      { name: "ask_mail", description: "mails", schema: z.object({}) },
    );
    const options = { saver: new MemorySaver(), tools: [streaming] };
    const agent = agentOf(world, ["ask_mail"], options);
    await agent.invoke(go, thread);
    expect(world.ran).toEqual([]);
    await world.decide("approve", "ask_mail");
    expect(answers(await agent.invoke(resume(approve), thread))).toMatchObject([{ text: "sent" }]);
    expect([world.ran, world.ended]).toEqual([["streamed"], ["ok"]]);
  });
});

describe("a sub-agent's ask", () => {
  const outerOf = (world: World, saver: MemorySaver) => {
    const inner = scriptedModel([[call("free_note"), call("ask_mail")], "inner done"]);
    const tools = guardTools(world.guard, [free(world), free(world, "ask_mail")]);
    const sub = createAgent({ model: inner, tools });
    const delegate = free(world, "free_delegate", async () => {
      return (await sub.invoke(go)).messages.at(-1)?.text;
    });
    return agentOf(world, ["free_delegate"], { saver, tools: [delegate] });
  };

  test("reaches the outer agent; what had finished inside is given again and not run again", async () => {
    const world = await open();
    const saver = new MemorySaver();
    const outer = outerOf(world, saver);
    const [asked] = interrupts(await outer.invoke(go, thread));
    expect(asked?.value.actionRequests[0]?.name).toBe("ask_mail");
    expect(world.ran).toEqual(["free_delegate", "free_note"]);
    await world.decide("approve", "ask_mail");
    const result = await outer.invoke(resume(approve), thread);
    expect(answers(result)).toMatchObject([{ name: "free_delegate", text: "inner done" }]);
    expect(world.ran).toEqual(["free_delegate", "free_note", "free_delegate", "ask_mail"]);
    expect(world.ended.toSorted()).toEqual(["ok", "ok", "ok", "suspended"]);
  });

  test("inside a tool that was itself asked about: each has its own approval", async () => {
    const world = await open();
    const inner = scriptedModel([[call("ask_mail")], "inner done"]);
    const asks = free(world, "ask_mail", () => `sent to ${interrupt<string, string>("to whom?")}`);
    const sub = createAgent({ model: inner, tools: guardTools(world.guard, [asks]) });
    const delegate = free(world, "ask_delegate", async () => {
      return (await sub.invoke(go)).messages.map(({ text }) => text).join("|");
    });
    const options = { saver: new MemorySaver(), tools: [delegate] };
    const outer = agentOf(world, ["ask_delegate"], options);
    const shown: unknown[] = [];
    let result: unknown = await outer.invoke(go, thread);
    for (const answer of [approve, approve, "ann"]) {
      const [asked] = interrupts(result);
      shown.push(asked?.value.actionRequests?.[0]?.name ?? asked?.value);
      if (typeof answer === "object") await world.decide("approve", String(shown.at(-1)));
      result = await outer.invoke(resume({ [asked!.id]: answer }), thread);
    }
    expect(shown).toEqual(["ask_delegate", "ask_mail", "to whom?"]);
    expect(answers(result as Asked)).toMatchObject([{ text: "go||sent to ann|inner done" }]);
  });

  test("without a checkpointer it is denied inside, never run", async () => {
    const world = await open();
    const outer = outerOf(world, undefined as never);
    expect(answers(await outer.invoke(go))).toMatchObject([{ text: "inner done" }]);
    expect(world.ran).toEqual(["free_delegate", "free_note"]);
  });
});

describe("wherever LangGraph calls a finished sibling again", () => {
  const graphOf = (world: World, kind: string) => {
    const checkpointer = new MemorySaver();
    const tools = [...guardTools(world.guard, [free(world), free(world, "ask_mail")])];
    if (kind === "createAgent, v1") {
      const model = scriptedModel([[call("free_note"), call("ask_mail")], "done"]);
      const config = withAgentKeys(world.guard, { model, tools }, { tools: false });
      return createAgent({ ...config, checkpointer, version: "v1" });
    }
    const calls = [toolCall("free_note", {}, "1"), toolCall("ask_mail", {}, "2")];
    const turn = () => ({ messages: [new AIMessage({ content: "", tool_calls: calls })] });
    return new StateGraph(MessagesAnnotation)
      .addNode("turn", turn)
      .addNode("tools", new ToolNode(tools))
      .addEdge("__start__", "turn")
      .addEdge("turn", "tools")
      .compile({ checkpointer });
  };

  test.each(["createAgent, v1", "ToolNode"])("%s: it runs once", async (kind) => {
    const world = await open();
    const graph = graphOf(world, kind);
    await graph.invoke(go as never, thread);
    expect(world.ran).toEqual(["free_note"]);
    await world.decide("approve", "ask_mail");
    const result = (await graph.invoke(resume(approve) as never, thread)) as Asked;
    expect(answers(result)).toMatchObject([{ text: "free_note ran" }, { text: "ask_mail ran" }]);
    expect(world.ran).toEqual(["free_note", "ask_mail"]);
  });

  test("two asks that share a node are answered by one resume", async () => {
    const world = await open();
    const tools = guardTools(world.guard, [free(world, "ask_a"), free(world, "ask_b")]);
    const model = scriptedModel([[call("ask_a"), call("ask_b")], "done"]);
    const config = withAgentKeys(world.guard, { model, tools }, { tools: false });
    const agent = createAgent({ ...config, checkpointer: new MemorySaver(), version: "v1" });
    await agent.invoke(go, thread);
    await vi.waitFor(() => world.decide("approve", "ask_a"));
    await vi.waitFor(() => world.decide("approve", "ask_b"));
    const result = await agent.invoke(resume(approve), thread);
    expect(interrupts(result)).toEqual([]);
    expect(new Set(world.ran)).toEqual(new Set(["ask_a", "ask_b"]));
    expect(world.ran).toHaveLength(2);
  });

  test("the same objects without the guard run it twice", async () => {
    const world = await open();
    const mail = free(world, "ask_mail", () => interrupt("may I?"));
    const model = scriptedModel([[call("free_note"), call("ask_mail")], "done"]);
    const tools = [free(world), mail];
    const agent = createAgent({ model, tools, checkpointer: new MemorySaver(), version: "v1" });
    await agent.invoke(go, thread);
    await agent.invoke(resume("yes"), thread);
    expect(world.ran.filter((name) => name === "free_note")).toHaveLength(2);
  });
});

describe("other kinds of tools ask alike", () => {
  const mail = (world: World) => free(world, "ask_mail");
  const kinds: Record<string, (world: World) => { tools: object[]; middleware: object[] }> = {
    "another middleware's": (world) => {
      const adding = createMiddleware({ name: "Adding", tools: [mail(world)] });
      return { tools: [], middleware: [adding, agentKeysMiddleware(world.guard)] };
    },
    "brought after the guard": (world) => {
      const late = createMiddleware({
        name: "Late",
        wrapToolCall: (request, handler) => handler({ ...request, tool: mail(world) }),
      });
      return { tools: [], middleware: [agentKeysMiddleware(world.guard), late] };
    },
    "a runnable": (world) => {
      const bound = RunnableLambda.from(() => String(world.ran.push("ask_mail")));
      const asTool = bound.asTool({ name: "ask_mail", schema: z.object({}) });
      return { tools: [...guardTools(world.guard, [asTool])], middleware: [] };
    },
  };

  test.each(Object.keys(kinds))("%s", async (kind) => {
    const world = await open();
    const { tools, middleware } = kinds[kind]!(world);
    const agent = createAgent({
      model: scriptedModel([[call("ask_mail")], "done"]),
      tools: tools as StructuredTool[],
      middleware: middleware as AgentMiddleware[],
      checkpointer: new MemorySaver(),
    });
    const [asked] = interrupts(await agent.invoke(go, thread));
    expect(asked?.value.actionRequests[0]?.name).toBe("ask_mail");
    expect(interrupts(await agent.invoke(resume(approve), thread))).toEqual([asked]);
    expect(world.ran).toEqual([]);
    await world.decide("approve", "ask_mail");
    const result = await agent.invoke(resume(approve), thread);
    expect(answers(result)).toMatchObject([{ status: "success" }]);
    expect(world.ran).toEqual(["ask_mail"]);
  });

  test.each([
    ["free_pay", ["free_pay"], "already_executed"],
    ["free_again", ["free_again", "free_again"], "at last"],
  ])("a retry in a thread: %s runs %j", async (name, ran, read) => {
    const world = await open();
    const flaky = free(world, name, () => {
      if (world.ran.length === 1) throw new Error("sent, and no answer");
      return "at last";
    });
    const again = createMiddleware({
      name: "Again",
      wrapToolCall: async (request, handler) => {
        try {
          return await handler(request);
        } catch {
          return handler(request);
        }
      },
    });
    const options = { saver: new MemorySaver(), tools: [flaky], middleware: [again] };
    const result = await agentOf(world, [name], options).invoke(go, thread);
    expect(answers(result)).toMatchObject([{ text: expect.stringContaining(read) }]);
    expect(world.ran).toEqual(ran);
  });
});
