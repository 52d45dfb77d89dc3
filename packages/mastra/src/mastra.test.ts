import { AgentKeysError } from "@agentkeys/contract";
import { createClient, createGuard, type Fetch, type Guard, isGuardedBy } from "@agentkeys/core";
import { createAuthority } from "@agentkeys/server";
import type { Script, ScriptedCall } from "@agentkeys/testing";
import { answersRead, scriptedModel } from "@agentkeys/testing/mastra";
import { Mastra } from "@mastra/core";
import { Agent, type ToolsInput } from "@mastra/core/agent";
import { ToolSearchProcessor } from "@mastra/core/processors";
import { InMemoryStore } from "@mastra/core/storage";
import { createTool, isValidationError, Tool } from "@mastra/core/tools";
import { createStep, createWorkflow } from "@mastra/core/workflows";
import { tool as aiTool } from "ai";
import { setTimeout as later } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { agentKeysHooks, agentKeysTools, guardTools, withAgentKeys } from "./index.ts";

const actor = `0x${"a0".repeat(32)}`;
const operator = `0x${"07".repeat(32)}`;
const overCap =
  "Denied by AgentKeys: daily_spend_cap_exceeded (cap=500, requested=600, period=daily)";

interface Begin {
  tool: string;
  scope: string | null;
  verdict: string;
  params: { amount_rmb?: number };
}

interface World {
  guard: Guard;
  /** Every decision that the authority answered, in order. */
  begun: Begin[];
  /** Every outcome recorded, in order. */
  ended: string[];
  /** What really ran, with the input it got. */
  ran: unknown[];
}

const bodyOf = ({ body }: RequestInit) => JSON.parse(body as string);

/** A real authority in memory; `around` wraps the way to it. Tools named `free_…` may run, `pay_…` up to 500. */
async function open(around: (fetch: Fetch) => Fetch = (fetch) => fetch): Promise<World> {
  const authority = await createAuthority({
    data: ":memory:",
    env: { VENDOR_TOKEN: "a-vendor-token", OPERATOR_TOKEN: "an-operator-token" },
    config: {
      vendors: { shop: { token: "env:VENDOR_TOKEN" } },
      operators: { [operator]: { token: "env:OPERATOR_TOKEN" } },
      actors: {
        [actor]: {
          operator,
          vendor: "shop",
          namespaces: ["travel"],
          services: [],
          scopes: {
            "memory.read": "allow",
            "web.search": "allow",
            "payment.spend": { currency: "RMB", per_call: 500 },
          },
        },
      },
    },
  });
  const begun: Begin[] = [];
  const ended: string[] = [];
  const watched: Fetch = async (url, init) => {
    const response = await authority.fetch(url, init);
    const { method, params } = bodyOf(init);
    if (method === "guard/begin" && params.tool !== undefined) {
      const { verdict } = (await response.clone().json()).result;
      begun.push({ tool: params.tool, scope: params.scope, verdict, params: params.params });
    }
    if (method === "guard/end") ended.push(params.outcome);
    return response;
  };
  const client = createClient({
    fetch: around(watched),
    token: "a-vendor-token",
    actor,
    operator,
    deviceKeyHash: `0x${"de".repeat(32)}`,
    timeoutMs: 500,
  });
  onTestFinished(async () => {
    await client.close();
    await authority.close();
  });
  const guard = createGuard({
    client,
    tools: {},
    classify: ({ tool, input }) => {
      if (tool.startsWith("free_")) return { scope: "web.search" };
      if (!tool.startsWith("pay_")) return undefined;
      return { scope: "payment.spend", params: () => ({ amount_rmb: Number(input["price"]) }) };
    },
  });
  return { guard, begun, ended, ran: [] };
}

const identity = { id: "agent", name: "agent", instructions: "i" };
const call = (name: string, input: unknown = {}): ScriptedCall => ({ name, input });
const pay = (price: unknown, name = "pay_cash") => call(name, { price });

/** A tool that notes what it got. */
function noting<S extends z.ZodObject>({ ran }: World, inputSchema: S, result: unknown = "done") {
  return createTool({
    id: "noting",
    description: "d",
    inputSchema,
    execute: async (input) => {
      ran.push(input);
      return result;
    },
  });
}

const price = z.object({ price: z.number() });

interface Run {
  /** Merged into the agent's configuration before it is guarded. */
  config?: object;
  /** Options of the run. */
  options?: object;
  model?: { provider: string; modelId: string };
}

/** One run of an agent with the whole guard; what the model read. */
async function run(world: World, tools: ToolsInput, script: Script, rest: Run = {}) {
  const model = Object.assign(scriptedModel(script), rest.model);
  const config = { ...identity, model, tools, ...rest.config };
  const agent = new Agent(withAgentKeys(world.guard, config, { tools: false }));
  const { text } = await agent.generate("go", { maxSteps: 20, ...rest.options });
  return { answers: answersRead(model), text };
}

const adapted = { provider: "openai.responses", modelId: "gpt-5" };

describe("what is decided on is what the tool's function gets", () => {
  const doubling = z.object({ price: z.number().transform((n) => n * 2) });

  test("a schema that transforms is parsed as often as without the guard, and once decided", async () => {
    const world = await open();
    const tools = { pay_cash: noting(world, doubling) };
    await run(world, tools, [[pay(10)], "done"]);
    expect(world.ran).toEqual([{ price: 40 }]);
    expect(world.begun).toMatchObject([{ verdict: "accept", params: { amount_rmb: 40 } }]);
    expect(world.ended).toEqual(["ok"]);
  });

  test("where Mastra adapts the schema to the model, it is parsed once, and so it is decided on", async () => {
    const world = await open();
    const tools = { pay_cash: noting(world, doubling) };
    const script = [[pay(10)], [pay(200)], [pay(300)], "done"];
    const { answers } = await run(world, tools, script, { model: adapted });
    expect(world.ran).toEqual([{ price: 20 }, { price: 400 }]);
    expect(answers.map(({ refused }) => refused)).toEqual([false, false, true]);
    expect(world.begun.map(({ params }) => params.amount_rmb)).toEqual([20, 400, 600]);
    expect(world.ended).toEqual(["ok", "ok"]);
  });

  test("a first call is not refused for what a second parse would make of it", async () => {
    const world = await open();
    const { answers } = await run(
      world,
      { pay_cash: noting(world, doubling) },
      [[pay(200)], "done"],
      {
        model: adapted,
      },
    );
    expect(answers).toMatchObject([{ refused: false }]);
    expect(world.ran).toEqual([{ price: 400 }]);
    expect(world.ended).toEqual(["ok"]);
  });

  test.each([
    ["for a model that Mastra adapts to", adapted, 7],
    ["for any other, which Mastra cannot run", undefined, undefined],
  ])("a schema whose output is not its input: %s", async (_, model, got) => {
    const world = await open();
    const text = z.object({ price: z.string().transform(Number) });
    const { answers } = await run(
      world,
      { pay_cash: noting(world, text) },
      [[pay("7")], "done"],
      model && { model },
    );
    expect(world.ran).toEqual(got === undefined ? [] : [{ price: got }]);
    expect(answers).toMatchObject([{ refused: got === undefined }]);
    expect(world.ended).toEqual(got === undefined ? [] : ["ok"]);
  });

  test("dates that Mastra makes of texts are decided on as dates, once", async () => {
    const world = await open();
    const schema = z.object({ on: z.array(z.object({ day: z.date() })), note: z.string() });
    const input = { on: [{ day: "2026-05-03" }], note: "2026-05-03" };
    const tools = { free_book: noting(world, schema) };
    await run(world, tools, [[call("free_book", input)], "done"], { model: adapted });
    expect(world.ran).toEqual([{ on: [{ day: new Date("2026-05-03") }], note: "2026-05-03" }]);
    expect(world.begun).toHaveLength(1);
  });

  test("a default that is another each time is decided on and run as one", async () => {
    const world = await open();
    let next = 100;
    const schema = z.object({ price: z.number().default(() => next++) });
    const { pay_cash } = guardTools(world.guard, { pay_cash: noting(world, schema) });
    await pay_cash.execute?.({} as never, {} as never);
    expect(world.ran).toEqual([{ price: world.begun[0]?.params.amount_rmb }]);
  });

  test("the context reaches the tool as it was", async () => {
    const world = await open();
    const seen: unknown[] = [];
    const free_look = createTool({
      id: "look",
      description: "d",
      execute: async (_, context) => {
        const { agent, workflow, requestContext, ...rest } = context;
        const { resumeData, mcp } = rest;
        seen.push([agent?.toolCallId, workflow, requestContext.get("user"), resumeData, mcp]);
        return "looked";
      },
    });
    const { RequestContext } = await import("@mastra/core/request-context");
    const requestContext = new RequestContext([["user", "ann"]]);
    await run(world, { free_look }, [[{ ...call("free_look"), id: "c1" }], "done"], {
      options: { requestContext },
    });
    expect(seen).toEqual([["c1", undefined, "ann", undefined, undefined]]);
  });

  test("bad input of a direct call is Mastra's to answer, and nothing is decided", async () => {
    const world = await open();
    const { pay_cash } = guardTools(world.guard, { pay_cash: noting(world, price) });
    const answer = await pay_cash.execute?.({ price: "much" } as never, {} as never);
    expect(isValidationError(answer)).toBe(true);
    expect(world.begun).toEqual([]);
  });
});

describe("a denial stays a denial", () => {
  const outputSchema = z.object({ receipt: z.string() });
  const withOutput = (world: World) =>
    createTool({
      id: "paid",
      description: "d",
      inputSchema: price,
      outputSchema,
      execute: async ({ price: receipt }) => {
        world.ran.push(receipt);
        return { receipt: String(receipt) };
      },
    });

  test.each([{}, { hooks: { beforeToolCall: () => undefined } }])(
    "in a tool with an output schema, options of the run: %j",
    async (options) => {
      const world = await open();
      const tools = { pay_cash: withOutput(world) };
      const { answers, text } = await run(world, tools, [[pay(600)], "done"], { options });
      expect(JSON.parse(answers[0]?.text ?? "")).toEqual({
        error: true,
        code: "permission_denied",
        message: overCap,
      });
      expect(text).toBe("done");
      expect(world.ran).toEqual([]);
    },
  );

  test("where a tool maps its results for the model, results are mapped and denials are not", async () => {
    const world = await open();
    const tool = createTool({
      id: "paid",
      description: "d",
      inputSchema: price,
      execute: async () => ({ lines: ["rice"] }),
      toModelOutput: (output) => ({
        type: "text",
        value: (output as { lines: string[] }).lines.join("+"),
      }),
    });
    const script = [[pay(600)], [pay(200)], "done"];
    const { answers, text } = await run(world, { pay_cash: tool }, script);
    expect(text).toBe("done");
    expect(answers[0]?.text).toContain(overCap);
    expect(answers[1]).toMatchObject({ refused: false, text: "rice" });
  });

  test("a tool of the AI SDK is guarded too", async () => {
    const world = await open();
    const pay_cash = aiTool({
      description: "d",
      inputSchema: price,
      execute: async (input) => {
        world.ran.push(input);
        return "paid";
      },
    });
    const script = [[pay(600)], [pay(200)], "done"];
    for (const options of [{}, { hooks: { beforeToolCall: () => undefined } }]) {
      const { answers } = await run(world, { pay_cash: pay_cash as never }, script, { options });
      expect(answers.map(({ refused }) => refused)).toEqual([true, false]);
    }
    expect(world.ran).toEqual([{ price: 200 }, { price: 200 }]);
    expect(world.ended).toEqual(["ok", "ok"]);
  });
});

describe("tools that did not come with the configuration", () => {
  test("toolsets, dynamic tools, agents and workflows are decided by their names", async () => {
    const world = await open();
    const step = createTool({
      id: "step",
      description: "d",
      inputSchema: z.object({}),
      outputSchema: z.string(),
      execute: async () => {
        world.ran.push("step");
        return "stepped";
      },
    });
    const flow = createWorkflow({
      id: "flow",
      inputSchema: z.object({}),
      outputSchema: z.string(),
    })
      .then(createStep(step))
      .commit();
    const helper = new Agent({
      ...identity,
      id: "helper",
      description: "helps",
      model: scriptedModel(["helped"]),
    });
    const anything = z.object({});
    const script = [
      [call("set"), call("dynamic"), call("agent-helper", { prompt: "p" })],
      [call("workflow-flow", { inputData: {} })],
      "done",
    ];
    const { answers } = await run(world, {}, script, {
      config: {
        tools: () => ({ dynamic: noting(world, anything) }),
        agents: { helper },
        workflows: { flow },
      },
      options: { toolsets: { group: { set: noting(world, anything) } } },
    });
    expect(answers).toHaveLength(4);
    for (const { text } of answers) expect(text).toContain("Denied by AgentKeys: unmapped_tool");
    expect(world.ran).toEqual([]);
    expect(world.begun.map(({ tool }) => tool).toSorted()).toEqual([
      "agent-helper",
      "dynamic",
      "set",
      "workflow-flow",
    ]);
  });

  test("a toolset that shadows a guarded tool is decided, whatever its schema takes", async () => {
    const world = await open();
    const raw = noting(world, z.object({ price: z.any() }));
    const script = [[pay(600), pay(200), pay({ at: 600 })], "done"];
    const { answers } = await run(world, { pay_cash: noting(world, price) }, script, {
      options: { toolsets: { group: { pay_cash: raw } } },
    });
    expect(world.ran).toEqual([{ price: 200 }]);
    expect(answers.filter(({ refused }) => refused)).toHaveLength(2);
    expect(world.ended).toEqual(["ok"]);
  });

  test("a tool that only the seam governs may run for long; its end is recorded as it was", async () => {
    const world = await open();
    const stop = new AbortController();
    const free_slow = createTool({
      id: "slow",
      description: "d",
      execute: async (_, { abortSignal }) => {
        stop.abort();
        abortSignal?.throwIfAborted();
      },
    });
    const options = { toolsets: { group: { free_slow } }, abortSignal: stop.signal };
    await run(world, {}, [[call("free_slow")], "done"], { options }).catch(() => undefined);
    await expect.poll(() => world.ended).toEqual(["aborted"]);
  });

  test("two agents of one guard have tools of one name, each with a schema of its own", async () => {
    const world = await open();
    const wide = { free_find: noting(world, z.object({ query: z.string() })) };
    const narrow = { free_find: noting(world, z.object({ q: z.string(), limit: z.number() })) };
    const agent = (tools: ToolsInput, input: object) => {
      const model = scriptedModel([[call("free_find", input)], "done"]);
      return new Agent(withAgentKeys(world.guard, { ...identity, model, tools }, { tools: false }));
    };
    const agents = [agent(wide, { query: "x" }), agent(narrow, { q: "x", limit: 1 })];
    for (const each of agents) await each.generate("go");
    expect(world.ran).toEqual([{ query: "x" }, { q: "x", limit: 1 }]);
    expect(world.ended).toEqual(["ok", "ok"]);
  });

  test("tools that the configuration's prepareStep injects decide for themselves, others keep their hooks", async () => {
    const world = await open();
    const tools = { free_there: noting(world, z.object({}), "there") };
    const prepareStep = ({ tools: all }: { tools?: object }) => ({
      tools: { ...all, pay_new: noting(world, price) },
    });
    const script = [[pay(600, "pay_new"), pay(20, "pay_new"), call("free_there")], "done"];
    const defaultOptions = { prepareStep };
    const { answers } = await run(world, tools, script, { config: { defaultOptions } });
    expect(answers.map(({ refused }) => refused)).toEqual([true, false, false]);
    expect(answers[0]?.text).toContain(overCap);
    expect(world.ran).toEqual([{ price: 20 }, {}]);
    expect(world.begun.map(({ verdict }) => verdict)).toEqual(["deny", "accept", "accept"]);
  });

  test("so do those of an agent in it", async () => {
    const world = await open();
    const inject = ({ tools: all }: { tools?: object }, name: string) => ({
      tools: { ...all, [name]: noting(world, price) },
    });
    const injecting = { id: "i", processInputStep: (step: object) => inject(step, "pay_new") };
    const helper = new Agent({
      id: "helper",
      name: "helper",
      description: "helps",
      instructions: "i",
      model: scriptedModel([
        [pay(600, "pay_new"), pay(600, "pay_late"), pay(20, "pay_new")],
        "helped",
      ]),
      inputProcessors: [injecting],
      defaultOptions: { prepareStep: (step) => inject(step, "pay_late"), maxSteps: 9 },
    });
    const guard = createGuard({
      client: world.guard.client,
      tools: { "agent-helper": { scope: "web.search" } },
      classify: () => ({
        scope: "payment.spend",
        params: ({ price: amount_rmb }) => ({ amount_rmb }),
      }),
    });
    const script = [[call("agent-helper", { prompt: "p", maxSteps: 9 })], "done"];
    await run({ ...world, guard }, {}, script, { config: { agents: { helper } } });
    expect(world.ran).toEqual([{ price: 20 }]);
    const verdicts = world.begun.map(({ tool, verdict }) => [tool, verdict]);
    expect(verdicts).toContainEqual(["pay_new", "deny"]);
    expect(verdicts).toContainEqual(["pay_late", "deny"]);
  });

  test("so do those of its input processors, Mastra's search for tools too", async () => {
    const world = await open();
    class Injecting {
      readonly id = "injecting";
      readonly #tool = noting(world, price);
      processInputStep({ tools }: { tools?: object }) {
        return { tools: { ...tools, pay_new: this.#tool } };
      }
    }
    const found = { pay_cash: Object.assign(noting(world, price), { id: "pay_cash" }) };
    const search = new ToolSearchProcessor({ tools: found, search: { autoLoad: true } });
    const inputProcessors = [new Injecting(), search];
    const guard = createGuard({
      client: world.guard.client,
      tools: {
        search_tools: { scope: "web.search" },
        pay_new: { scope: "payment.spend", params: ({ price: amount_rmb }) => ({ amount_rmb }) },
        pay_cash: { scope: "payment.spend", params: ({ price: amount_rmb }) => ({ amount_rmb }) },
      },
    });
    const turns = [
      [pay(600, "pay_new"), call("search_tools", { query: "pay_cash" })],
      [pay(600), pay(20)],
      "done",
    ];
    const { text } = await run({ ...world, guard }, {}, turns, { config: { inputProcessors } });
    expect(text).toBe("done");
    expect(world.ran).toEqual([{ price: 20 }]);
    expect(world.begun.map(({ tool, verdict }) => [tool, verdict])).toEqual([
      ["pay_new", "deny"],
      ["search_tools", "accept"],
      ["pay_cash", "deny"],
      ["pay_cash", "accept"],
    ]);
  });

  test("LIMIT: tools that the prepareStep of one run injects are not hooked; guarded ones decide for themselves", async () => {
    const world = await open();
    const late = { unmapped_raw: noting(world, price, "raw") };
    const { pay_late } = guardTools(world.guard, { pay_late: noting(world, price) });
    const prepareStep = ({ tools }: { tools: object }) => ({
      tools: { ...tools, ...late, pay_late },
    });
    const script = [[pay(1, "unmapped_raw"), pay(600, "pay_late")], "done"];
    const { answers } = await run(world, {}, script, { options: { prepareStep } });
    expect(world.ran).toEqual([{ price: 1 }]);
    expect(answers.map(({ refused }) => refused)).toEqual([false, true]);
    expect(world.begun).toMatchObject([{ tool: "pay_late", verdict: "deny" }]);
  });

  test("LIMIT: a client's tool runs at the client; nothing here hears of the call", async () => {
    const world = await open();
    const clientTools = { free_client: createTool({ id: "c", description: "d" }) };
    await run(world, {}, [[call("free_client")], "done"], { options: { clientTools } });
    expect(world.begun).toEqual([]);
  });
});

describe("the object alone", () => {
  test("in a workflow", async () => {
    const world = await open();
    const tool = createTool({
      id: "pay",
      description: "d",
      inputSchema: price,
      outputSchema: z.object({ paid: z.number() }),
      execute: async ({ price: paid }) => {
        world.ran.push(paid);
        return { paid };
      },
    });
    const { pay_cash } = guardTools(world.guard, { pay_cash: tool });
    const workflow = createWorkflow({ id: "w", inputSchema: price, outputSchema: z.any() })
      .then(createStep(pay_cash))
      .commit();
    const start = async (amount: number) => {
      const result = await (await workflow.createRun()).start({ inputData: { price: amount } });
      return result.status === "success" ? result.result : result.status;
    };
    expect(await start(200)).toEqual({ paid: 200 });
    expect(await start(600)).toMatchObject({ error: true, message: overCap });
    expect(world.ran).toEqual([200]);
    expect(world.ended).toEqual(["ok"]);
  });

  test("from agent.listTools()", async () => {
    const world = await open();
    const config = { ...identity, model: scriptedModel(["done"]) };
    const tools = { pay_cash: noting(world, price) };
    const agent = new Agent(withAgentKeys(world.guard, { ...config, tools }));
    const listed = await agent.listTools();
    const answer = await listed.pay_cash.execute?.({ price: 600 }, {} as never);
    expect(answer).toMatchObject({ error: true, code: "permission_denied", message: overCap });
    expect(world.ran).toEqual([]);
  });

  test("with hooks of one run that hear the end only", async () => {
    const world = await open();
    const heard: string[] = [];
    const hooks = {
      afterToolCall: ({ toolName }: { toolName: string }) => void heard.push(toolName),
    };
    await run(world, { pay_cash: noting(world, price) }, [[pay(200)], "done"], {
      options: { hooks },
    });
    expect(heard).toEqual(["pay_cash"]);
    expect(world.ended).toEqual(["ok"]);
  });

  test("is a copy: same class, same fields, the original as it was", async () => {
    const world = await open();
    const original = Object.freeze(noting(world, price));
    const { pay_cash } = guardTools(world.guard, { pay_cash: original });
    expect(pay_cash).toBeInstanceOf(Tool);
    expect(pay_cash).not.toBe(original);
    const { execute: _, onInputAvailable: __, ...fields } = original;
    expect(pay_cash).toMatchObject(fields);
    await original.execute?.({ price: 600 }, {} as never);
    expect(world.ran).toEqual([{ price: 600 }]);
    expect(world.begun).toEqual([]);
    expect(guardTools(world.guard, { pay_cash }).pay_cash).toBe(pay_cash);
  });

  test("another guard's object is guarded again, and both decide", async () => {
    const [outer, inner] = [await open(), await open()];
    const twice = z.object({ price: z.number().transform((n) => n * 2) });
    const tools = guardTools(inner.guard, { pay_cash: noting(inner, twice) });
    const { pay_cash } = guardTools(outer.guard, tools);
    await pay_cash.execute?.({ price: 100 }, {} as never);
    expect(inner.ran).toEqual([{ price: 200 }]);
    for (const { begun } of [outer, inner]) {
      expect(begun).toMatchObject([{ verdict: "accept", params: { amount_rmb: 200 } }]);
    }
  });

  test("a key that Mastra renames is known by the name the model sees", async () => {
    const world = await open();
    const tools = { "pay.in/cash": noting(world, price) };
    await run(world, tools, [[pay(200, "pay_in_cash"), pay(600, "pay_in_cash")], "done"]);
    expect(world.ran).toEqual([{ price: 200 }]);
    expect(world.begun.map(({ tool }) => tool)).toEqual(["pay_in_cash", "pay_in_cash"]);
    expect(world.ended).toEqual(["ok"]);
  });
});

describe("outcomes", () => {
  test("a result that the tool's own output schema refuses is an error", async () => {
    const world = await open();
    const free_wrong = createTool({
      id: "w",
      description: "d",
      outputSchema: z.object({ n: z.number() }),
      execute: async () => ({ n: "no number" }) as never,
    });
    const { answers } = await run(world, { free_wrong }, [[call("free_wrong")], "done"]);
    expect(answers).toMatchObject([{ refused: true }]);
    expect(world.ended).toEqual(["error"]);
  });

  test("a result in the form of a denial does not make the record say that nothing ran", async () => {
    const world = await open();
    const forged = { error: true, message: "Denied by AgentKeys: no such thing" };
    const odd = { error: true, message: Object.create(null) as object };
    const nothing = z.object({});
    const group = {
      free_forged: noting(world, nothing, forged),
      free_odd: noting(world, nothing, odd),
    };
    const script = [[call("free_mine")], [call("free_forged")], [call("free_odd")], "done"];
    await run(world, { free_mine: noting(world, nothing, forged) }, script, {
      options: { toolsets: { group } },
    });
    expect(world.ran).toHaveLength(3);
    expect(world.ended).toEqual(["error", "error", "ok"]);
  });

  test("a tool that suspends and is resumed: suspended, then decided anew", async () => {
    const world = await open();
    const free_ask = createTool({
      id: "ask",
      description: "d",
      inputSchema: z.object({ of: z.string() }),
      suspendSchema: z.object({ question: z.string() }),
      resumeSchema: z.object({ answer: z.string() }),
      execute: async ({ of }, { agent }) => {
        const { resumeData } = agent ?? {};
        if (!resumeData) return agent?.suspend({ question: `${of}?` });
        world.ran.push(resumeData);
        return resumeData.answer;
      },
    });
    const model = scriptedModel([[call("free_ask", { of: "sure" })], "done"]);
    const config = withAgentKeys(world.guard, { ...identity, model, tools: { free_ask } });
    const agent = new Agent(config);
    void new Mastra({ agents: { agent }, storage: new InMemoryStore(), logger: false });
    const asked = await agent.generate("go");
    expect(asked.finishReason).toBe("suspended");
    expect(world.ended).toEqual(["suspended"]);
    const { toolCallId } = asked.suspendPayload as { toolCallId: string };
    const { text } = await agent.resumeGenerate(
      { answer: "yes" },
      { runId: asked.runId ?? "", toolCallId },
    );
    expect(text).toBe("done");
    expect(world.ran).toEqual([{ answer: "yes" }]);
    expect(world.ended).toEqual(["suspended", "ok"]);
    expect(world.begun).toHaveLength(2);
  });

  test("an outcome that cannot be written leaves the result a result", async () => {
    const world = await open((fetch) => async (url, init) => {
      if (bodyOf(init).method === "guard/end") throw new TypeError("fetch failed");
      return fetch(url, init);
    });
    const free_set = noting(world, z.object({}), "kept");
    const script = [[call("free_own"), call("free_set")], "done"];
    const { answers } = await run(
      world,
      { free_own: noting(world, z.object({}), "kept") },
      script,
      {
        options: { toolsets: { group: { free_set } } },
      },
    );
    expect(answers).toMatchObject([
      { refused: false, text: "kept" },
      { refused: false, text: "kept" },
    ]);
  });

  test("an authority that hangs costs a call one deadline, whatever its schema makes of the input", async () => {
    let asked = 0;
    const world = await open((fetch) => (url, init) => {
      if (bodyOf(init).method !== "guard/begin") return fetch(url, init);
      asked += 1;
      return new Promise(() => {});
    });
    const twice = z.object({ price: z.number().transform((given) => given * 2) });
    await run(world, { pay_twice: noting(world, twice) }, [[pay(10, "pay_twice")], "done"]);
    expect(asked).toBe(1);
    expect(world.ran).toEqual([]);
  });

  test("and a turn of many calls one, which are all denied", async () => {
    let asked = 0;
    const world = await open((fetch) => (url, init) => {
      if (bodyOf(init).method !== "guard/begin") return fetch(url, init);
      asked += 1;
      return new Promise(() => {});
    });
    const calls = [pay(1), pay(2), call("free_raw"), pay(3)];
    const { answers, text } = await run(
      world,
      { pay_cash: noting(world, price) },
      [calls, "done"],
      { options: { toolsets: { group: { free_raw: noting(world, z.object({})) } } } },
    );
    expect(answers).toHaveLength(4);
    for (const answer of answers) expect(answer.text).toContain("authority_unavailable");
    expect([asked, world.ran, text]).toEqual([1, [], "done"]);
  });

  test("calls of one turn run one after another, unless the configuration says otherwise", async () => {
    const world = await open();
    let running = 0;
    let most = 0;
    const free_slow = createTool({
      id: "slow",
      description: "d",
      execute: async () => {
        most = Math.max(most, ++running);
        await later(20);
        running -= 1;
      },
    });
    const script = [[call("free_slow"), call("free_slow")], "done"];
    await run(world, { free_slow }, script);
    expect(most).toBe(1);
    await run(world, { free_slow }, script, {
      config: { defaultOptions: () => ({ toolCallConcurrency: 2 }) },
    });
    expect(most).toBe(2);
  });
});

describe("hooks of the user's own", () => {
  test("still run, see every call, and may deny more", async () => {
    const world = await open();
    const heard: unknown[] = [];
    const hooks = {
      beforeToolCall: ({ toolName, input }: { toolName: string; input: unknown }) => {
        heard.push(input);
        return toolName === "free_no" ? { proceed: false as const, output: "mine" } : undefined;
      },
      afterToolCall: ({ output }: { output?: unknown }) => void heard.push(output),
    };
    const tools = { pay_cash: noting(world, price), free_no: noting(world, z.object({})) };
    const script = [[pay(600)], [pay(200)], [call("free_no")], "done"];
    const { answers } = await run(world, tools, script, { config: { hooks } });
    expect(heard).toEqual([{ price: 600 }, { price: 200 }, "done", {}]);
    expect(answers.map(({ text }) => text)).toEqual([
      expect.stringContaining(overCap),
      "done",
      "mine",
    ]);
    expect(world.begun.map(({ verdict }) => verdict)).toEqual(["deny", "accept"]);
    expect(world.ended).toEqual(["ok"]);
  });

  test("what they make of the input is what is decided on", async () => {
    const world = await open();
    const dearer = {
      beforeToolCall: ({ input }: { input: unknown }) =>
        void Object.assign(input as object, { price: 600 }),
    };
    const raw = noting(world, price);
    await run(world, {}, [[pay(200)], "done"], {
      config: { hooks: dearer },
      options: { toolsets: { group: { pay_cash: raw } } },
    });
    expect(world.ran).toEqual([]);
    expect(world.begun).toMatchObject([{ verdict: "deny", params: { amount_rmb: 600 } }]);
  });

  test("a configuration that is guarded already is decided on once", async () => {
    const world = await open();
    const hooks = agentKeysHooks(world.guard);
    expect(isGuardedBy(hooks, world.guard)).toBe(true);
    const model = scriptedModel([[pay(600)], "done"]);
    const config = { ...identity, model, tools: { pay_cash: noting(world, price) }, hooks };
    await new Agent(withAgentKeys(world.guard, withAgentKeys(world.guard, config))).generate("go");
    expect(world.begun).toHaveLength(1);
  });
});

describe("AgentKeys' own tools", () => {
  test("are known by the object: another tool under such a name is decided like any other", async () => {
    const world = await open();
    const memory = call("agentkeys_memory_get", { namespace: "travel" });
    const script = [[memory, call("agentkeys_identity_whoami")], "done"];
    const model = scriptedModel(script);
    const agent = new Agent(withAgentKeys(world.guard, { ...identity, model }));
    const impostor = noting(world, z.object({ namespace: z.string() }), "mine");
    await agent.generate("go", { toolsets: { group: { agentkeys_memory_get: impostor } } });
    expect(answersRead(model).map(({ refused }) => refused)).toEqual([true, false]);
    expect(world.ran).toEqual([]);
    expect(world.begun).toMatchObject([{ tool: "agentkeys_memory_get", scope: null }]);
  });

  test("say what they are, and pass the run's signal on", async () => {
    let aborted = false;
    const world = await open((fetch) => async (url, init) => {
      if (bodyOf(init).params?.name !== "agentkeys.memory.get") return fetch(url, init);
      return new Promise((_, reject) => {
        init.signal?.addEventListener("abort", () => {
          aborted = true;
          reject(init.signal?.reason as Error);
        });
      });
    });
    const tools = agentKeysTools(world.guard.client, { only: ["memory_get"], prefix: "ak_" });
    expect(Object.keys(tools)).toEqual(["ak_memory_get"]);
    const { ak_memory_get } = tools;
    expect(ak_memory_get).toMatchObject({
      id: "ak_memory_get",
      mcp: { _meta: { agentkeys: { tool: "agentkeys.memory.get" } } },
    });
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error("enough")), 5);
    const context = { abortSignal: stop.signal } as never;
    await expect(ak_memory_get?.execute?.({ namespace: "travel" }, context)).rejects.toBeDefined();
    expect(aborted).toBe(true);
  });

  test("reject with the authority's own error", async () => {
    const world = await open();
    const { agentkeys_cap_revoke } = agentKeysTools(world.guard.client);
    const error: unknown = await agentkeys_cap_revoke
      ?.execute?.({ cap_id: "nobody's" }, {} as never)
      .catch((thrown: unknown) => thrown);
    expect(AgentKeysError.is(error)).toBe(true);
  });
});

describe("strict", () => {
  const refused = expect.objectContaining({ code: "config_invalid" });

  test("throws on what no guard reaches", async () => {
    const { guard, ran } = await open();
    const model = scriptedModel(["done"]);
    const config = { ...identity, model };
    const elsewhere = createTool({ id: "elsewhere", description: "d" });
    const remote = { id: "remote", generate: () => undefined } as never;
    const flow = createWorkflow({ id: "f", inputSchema: z.any(), outputSchema: z.any() });
    const strict = { strict: true };
    expect(() => withAgentKeys(guard, { ...config, tools: { elsewhere } }, strict)).toThrow(
      refused,
    );
    for (const more of [{ agents: { remote } }, { workflows: { flow } }]) {
      expect(() => withAgentKeys(guard, { ...config, ...more }, strict)).toThrow(refused);
    }
    expect(() => withAgentKeys(guard, config, strict)).not.toThrow();
    const tools = { free: noting({ guard, ran, begun: [], ended: [] }, z.object({})) };
    expect(() => withAgentKeys(guard, { ...config, tools }, strict)).not.toThrow();
  });

  test("throws before the first model call where tools are a function", async () => {
    const { guard } = await open();
    const model = scriptedModel(["done"]);
    const tools = () => ({ elsewhere: createTool({ id: "elsewhere", description: "d" }) });
    const agent = new Agent(withAgentKeys(guard, { ...identity, model, tools }, { strict: true }));
    await expect(agent.generate("go")).rejects.toThrow("strict: no guard reaches tools.elsewhere");
    expect(model.doGenerateCalls).toEqual([]);
  });
});
