import { createGuard, type Guard } from "@agentkeys/core";
import type { Script, ScriptedCall } from "@agentkeys/testing";
import { mockAuthority } from "@agentkeys/testing";
import { answersRead, scriptedModel } from "@agentkeys/testing/mastra";
import { Agent } from "@mastra/core/agent";
import { createTool } from "@mastra/core/tools";
import { createWorkflow } from "@mastra/core/workflows";
import { describe, expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { agentKeysTools, guardTools, withAgentKeys } from "./index.ts";

const call = (name: string, input: object = {}): ScriptedCall => ({ name, input });

async function open() {
  const authority = await mockAuthority({ deny: ["files.delete"] });
  onTestFinished(() => authority.close());
  const ran: string[] = [];
  const noting = (id: string) =>
    createTool({ id, description: "d", execute: async () => `${id} ${ran.push(id)}` });
  const guard = createGuard({
    client: authority.client(),
    tools: {
      look: { scope: "web.search" },
      wipe: { scope: "files.delete" },
      "agent-helper": { scope: "agents.delegate" },
      "agent-deeper": { scope: "agents.delegate" },
    },
  });
  const tools = { look: noting("look"), wipe: noting("wipe") };
  const agent = (id: string, script: Script, config: object = {}) =>
    new Agent({
      id,
      name: id,
      description: id,
      instructions: "i",
      model: scriptedModel(script),
      defaultOptions: { maxSteps: 9 },
      ...config,
    });
  return { authority, guard, ran, tools, agent };
}

const dangerous = [call("look"), call("wipe"), call("unmapped")];
const delegate = (to: string) => [call(`agent-${to}`, { prompt: "p", maxSteps: 9 })];

const outer = (guard: Guard, script: Script, config: object) => {
  const model = scriptedModel(script);
  const all = { id: "outer", name: "outer", instructions: "i", model, ...config };
  return { model, agent: new Agent(withAgentKeys(guard, all, { tools: false })) };
};

describe("agents of a configuration", () => {
  const shapes = {
    "tools and agents as they are": (given: object) => given,
    "tools and agents as functions": ({ tools, agents }: { tools?: object; agents?: object }) => ({
      ...(tools && { tools: () => tools }),
      ...(agents && { agents: async () => agents }),
    }),
  };

  test.each(Object.entries(shapes))("are guarded, and theirs in turn: %s", async (_, given) => {
    const { guard, ran, tools, agent } = await open();
    const inner = { ...tools, unmapped: tools.look };
    const deeper = agent("deeper", [dangerous, "deep"], given({ tools: inner }));
    const script = [dangerous, delegate("deeper"), "helped", dangerous, "again"];
    const helper = agent("helper", script, given({ tools: inner, agents: { deeper } }));
    const { agent: top } = outer(
      guard,
      [delegate("helper"), "done"],
      given({ agents: { helper } }),
    );
    expect((await top.generate("go")).text).toBe("done");
    expect(ran).toEqual(["look", "look"]);
    // The agents themselves are whose they were.
    await helper.generate("go");
    expect(ran).toContain("wipe");
  });

  test("in a stream, and where one run brings hooks of its own", async () => {
    const { guard, ran, tools, agent } = await open();
    const helper = agent("helper", [dangerous, "helped"], { tools });
    const { agent: top } = outer(guard, [delegate("helper"), "done"], { agents: { helper } });
    const stream = await top.stream("go", { hooks: { beforeToolCall: () => undefined } });
    for await (const _ of stream.fullStream);
    expect(await stream.text).toBe("done");
    expect(ran).toEqual(["look"]);
  });

  test("an inner agent's workflows and toolsets have a seam of their own", async () => {
    const { guard, authority, agent } = await open();
    const flow = createWorkflow({
      id: "flow",
      inputSchema: z.any(),
      outputSchema: z.any(),
    }).commit();
    const script = [[call("workflow-flow", { inputData: {} })], "helped"];
    const helper = agent("helper", script, { workflows: { flow } });
    const { agent: top } = outer(guard, [delegate("helper"), "done"], { agents: { helper } });
    await top.generate("go");
    const verdicts = authority.log().filter(({ kind }) => kind === "guard.intent");
    expect(verdicts.map(({ tool, verdict }) => [tool, verdict])).toEqual([
      ["agent-helper", "accept"],
      ["workflow-flow", "deny"],
    ]);
  });

  test("where Mastra's own means are gone the agent itself is changed", async () => {
    const { guard, ran, tools, agent } = await open();
    const helper = agent("helper", [dangerous, "helped", dangerous, "again"], { tools });
    Object.assign(helper, { __fork: undefined });
    const { agent: top } = outer(guard, [delegate("helper"), "done"], { agents: { helper } });
    await top.generate("go");
    await helper.generate("go");
    expect(ran).toEqual(["look", "look"]);
  });

  test("one that has the guard already is left as it is", async () => {
    const { guard, tools } = await open();
    const { agent: helper } = outer(guard, ["done"], { tools });
    const config = withAgentKeys(guard, {
      id: "a",
      name: "a",
      instructions: "i",
      model: scriptedModel(["done"]),
      agents: { helper },
    });
    expect(config.agents.helper).toBe(helper);
  });

  test("LIMIT: an agent that a tool builds with raw tools is nobody's to see", async () => {
    const { guard, ran, tools, agent } = await open();
    const look = createTool({
      id: "look",
      description: "d",
      execute: async () => (await agent("made", [dangerous, "x"], { tools }).generate("go")).text,
    });
    const { agent: top } = outer(guard, [[call("look")], "done"], { tools: { look } });
    await top.generate("go");
    expect(ran).toEqual(["look", "wipe"]);
  });
});

describe("a tool is known by the object", () => {
  test.each([
    ["a copy with another body", (tool: object, body: object) => ({ ...tool, ...body })],
    ["the same with another body", (tool: object, body: object) => Object.assign(tool, body)],
    [
      "an heir with another body",
      (tool: object, body: object) => Object.assign(Object.create(tool) as object, body),
    ],
  ])("%s is decided by its name", async (_, change) => {
    const { guard, ran, tools } = await open();
    const execute = async () => void ran.push("raw");
    const guarded = guardTools(guard, tools);
    const toolsets = {
      group: { wipe: change(guarded.wipe, { execute }), free: change(guarded.look, { execute }) },
    };
    const { agent, model } = outer(guard, [[call("wipe"), call("free")], "done"], {});
    await agent.generate("go", { toolsets: toolsets as never });
    expect(ran).toEqual([]);
    expect(answersRead(model).map(({ refused }) => refused)).toEqual([true, true]);
  });

  test("what is called inside an allowed tool is not allowed with it, even by the same name and id", async () => {
    const { guard, ran } = await open();
    const again = [{ ...call("look"), id: "same" }];
    const wiping = createGuard({
      client: guard.client,
      tools: { look: { scope: "files.delete" } },
    });
    const raw = createTool({
      id: "l",
      description: "d",
      execute: async () => void ran.push("raw"),
    });
    const look = createTool({
      id: "look",
      description: "d",
      execute: async () => {
        const { agent } = outer(wiping, [again, "x"], {});
        await agent.generate("go", { toolsets: { group: { look: raw } } });
        const { agent: twin } = outer(guard, [again, "x"], {});
        const named = { look: Object.assign(raw, { id: "look" }) };
        await twin.generate("go", { toolsets: { group: named } });
        ran.push("look");
      },
    });
    const { agent: top } = outer(guard, [again, "done"], { tools: { look } });
    await top.generate("go");
    expect(ran).toEqual(["raw", "look"]);
  });
});

describe("guard.coverage", () => {
  const provided = { type: "provider-defined", id: "openai.web_search", args: {} } as never;

  test("of an agent: its tools, its agents' and its workflows", async () => {
    const { guard, tools, agent } = await open();
    const client = createTool({ id: "c", description: "d" });
    const flow = createWorkflow({ id: "flow", inputSchema: z.any(), outputSchema: z.any() });
    const mcp = Object.assign(createTool({ id: "m", description: "d" }), {
      mcpMetadata: { serverName: "s" },
    });
    const helper = agent("helper", ["x"], { tools: () => ({ wipe: tools.wipe }) });
    const config = {
      id: "a",
      name: "a",
      instructions: "i",
      model: scriptedModel(["done"]),
      tools: { "lo.ok": tools.look, client, provided, mcp },
      agents: { helper },
      workflows: { flow },
    };
    const guarded = withAgentKeys(guard, config, { tools: ["memory_get"] });
    for (const target of [guarded, new Agent(guarded)]) {
      expect(await guard.coverage(target)).toEqual({
        tools: [
          { name: "agentkeys_memory_get", how: "agentkeys", path: "tools.agentkeys_memory_get" },
          { name: "lo_ok", how: "guarded", path: "tools.lo.ok" },
          { name: "client", how: "raw", path: "tools.client" },
          { name: "provided", how: "provider-executed", path: "tools.provided" },
          { name: "mcp", how: "mcp", path: "tools.mcp" },
          { name: "agent-helper", how: "guarded", path: "agents.helper" },
          { name: "wipe", how: "guarded", path: "agents.helper.tools.wipe" },
          { name: "workflow-flow", how: "guarded", path: "workflows.flow" },
          { name: "flow", how: "sub-agent", path: "workflows.flow" },
        ],
        unused: ["look", "agent-deeper"],
      });
    }
    const raw = await guard.coverage(new Agent(config));
    expect(raw.tools.map(({ how }) => how)).not.toContain("guarded");
  });

  test("of tools that are made for each run, also where they cannot be made now", async () => {
    const { guard, tools } = await open();
    const base = { id: "a", name: "a", instructions: "i", model: scriptedModel(["done"]) };
    const made = { ...base, tools: () => tools };
    expect((await guard.coverage(made)).tools.map(({ how }) => how)).toEqual(["raw", "raw"]);
    const failing = new Agent({
      ...base,
      tools: () => {
        throw new Error("no user");
      },
    });
    expect((await guard.coverage(failing)).tools).toEqual([
      { name: "tools", how: "dynamic", path: "tools" },
    ]);
  });

  test("of a map of tools", async () => {
    const { guard, tools } = await open();
    const map = {
      ...guardTools(guard, { look: tools.look }),
      ...agentKeysTools(guard.client, { only: ["memory_get"] }),
      wipe: tools.wipe,
    };
    const { tools: found } = await guard.coverage(map);
    expect(found.map(({ how }) => how)).toEqual(["guarded", "agentkeys", "raw"]);
  });

  test.each([
    ["a tool without a body", { tools: { client: createTool({ id: "c", description: "d" }) } }],
    [
      "one that is made for each run",
      { tools: async () => ({ client: createTool({ id: "c", description: "d" }) }) },
    ],
    [
      "an agent that is not Mastra's",
      { agents: { remote: { id: "remote", getDescription: () => "d" } } },
    ],
  ])("strict looks into agents before their first model call: %s", async (_, config) => {
    const { guard, agent } = await open();
    const calls = async (strict: boolean) => {
      const helper = agent("helper", ["helped"], config);
      const model = scriptedModel([delegate("helper"), "done"]);
      const all = { id: "a", name: "a", instructions: "i", model, agents: { helper } };
      const top = new Agent(withAgentKeys(guard, all, { strict }));
      await top.generate("go").catch(() => undefined);
      return (helper.model as typeof model).doGenerateCalls.length;
    };
    expect(await calls(true)).toBe(0);
    expect(await calls(false)).toBe(1);
  });
});

describe("tools of another source than the authority", () => {
  const source = {
    rows: {
      vote: {
        id: "coordination.vote",
        title: "Vote",
        description: "Votes.",
        input: z.object({ yes: z.boolean() }),
        output: z.object({}),
        ambient: [],
        scope: null,
      },
    },
    call: async (_: string, input: unknown) => ({ voted: input }),
  };

  test("pass by the object, as in every framework; under the same name nothing else does", async () => {
    const { guard, authority, ran } = await open();
    const tools = agentKeysTools(source as never, { prefix: "team_" });
    const { agent, model } = outer(
      guard,
      [[call("team_vote", { yes: true })], "done", [call("team_vote", { yes: true })], "done"],
      { tools },
    );
    await agent.generate("go");
    expect(answersRead(model)[0]?.text).toContain("voted");
    const group = {
      team_vote: createTool({
        id: "t",
        description: "d",
        execute: async () => void ran.push("raw"),
      }),
    };
    await agent.generate("go", { toolsets: { group } });
    expect(ran).toEqual([]);
    expect(authority.log().map(({ verdict }) => verdict)).toEqual(["deny"]);
  });
});
