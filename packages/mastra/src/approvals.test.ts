import { createGuard, type Guard, type GuardOptions } from "@agentkeys/core";
import type { Script, ScriptedCall } from "@agentkeys/testing";
import { mockAuthority, type MockAuthority } from "@agentkeys/testing";
import { answersRead, scriptedModel } from "@agentkeys/testing/mastra";
import { Mastra } from "@mastra/core";
import { Agent, type ToolsInput } from "@mastra/core/agent";
import { InMemoryStore } from "@mastra/core/storage";
import { createTool } from "@mastra/core/tools";
import { tool as aiTool } from "ai";
import { describe, expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { withAgentKeys } from "./index.ts";

interface World {
  authority: MockAuthority;
  guard: Guard;
  ran: unknown[];
  tools: ToolsInput;
  store: InMemoryStore;
}

const rows: GuardOptions["tools"] = {
  mail: { scope: "mail.send", describe: ({ to }) => `A mail to ${String(to)}` },
  look: { scope: "web.search" },
  "agent-helper": { scope: "agents.delegate" },
};

async function openWorld(options: Partial<GuardOptions> = {}): Promise<World> {
  const authority = await mockAuthority({ ask: ["mail.send"] });
  onTestFinished(() => authority.close());
  const ran: unknown[] = [];
  const noting = (id: string) =>
    createTool({
      id,
      description: "d",
      inputSchema: z.object({ to: z.string() }),
      execute: async (input, { agent }) => {
        ran.push(agent?.resumeData ? [input, agent.resumeData] : input);
        return `${id} to ${input.to}`;
      },
    });
  const guard = createGuard({ client: authority.client(), tools: rows, ...options });
  const tools = { mail: noting("mail"), look: noting("look") };
  return { authority, guard, ran, tools, store: new InMemoryStore() };
}

const call = (name: string, input: object, id?: string): ScriptedCall => ({
  name,
  input,
  ...(id !== undefined && { id }),
});
const mail = (to: string, id?: string) => call("mail", { to }, id);

/** One more instance of the agent over the same storage, as another process would have it. */
function start(world: World, script: Script, config: object = {}) {
  const model = scriptedModel(script);
  const all = {
    id: "agent",
    name: "agent",
    instructions: "i",
    model,
    tools: world.tools,
    ...config,
  };
  const agent = new Agent(withAgentKeys(world.guard, all, { tools: false }));
  void new Mastra({ agents: { agent }, storage: world.store, logger: false });
  return { agent, model, read: () => answersRead(model).map(({ text }) => text) };
}

type Suspended = Awaited<ReturnType<Agent["generate"]>>;

/** What a person's interface needs to go on with. */
function asked(run: Suspended) {
  expect(run.finishReason).toBe("suspended");
  const { toolCallId, suspendPayload } = run.suspendPayload as {
    toolCallId: string;
    suspendPayload: { type: string; approval: { id: string; text: string } };
  };
  return { runId: run.runId ?? "", toolCallId, ...suspendPayload };
}

const pending = (world: World) => world.authority.operator().approvals.list({ status: "pending" });

async function decide(world: World, outcome: "approve" | "deny", id: string): Promise<void> {
  const operator = world.authority.operator();
  const found = (await operator.approvals.list()).find((one) => one.id === id);
  if (found === undefined) throw new Error("no such approval");
  await operator.approvals[outcome](found, { reason: "because" });
}

describe("an ask", () => {
  test("suspends the run, tells what is asked, and goes on in another instance once it is approved", async () => {
    const world = await openWorld();
    const first = start(world, [[mail("ann")], "unused"]);
    const run = asked(await first.agent.generate("go"));
    expect(run).toMatchObject({ type: "agentkeys.approval", approval: { text: "A mail to ann" } });
    expect(world.ran).toEqual([]);
    await decide(world, "approve", run.approval.id);

    const second = start(world, ["done"]);
    const { text } = await second.agent.approveToolCallGenerate(run);
    expect(text).toBe("done");
    expect(world.ran).toEqual([{ to: "ann" }]);
    const log = world.authority.log();
    expect(log.map(({ kind, verdict, outcome }) => [kind, verdict ?? outcome])).toEqual([
      ["guard.intent", "ask_parent"],
      ["runtime.approval", "approved"],
      ["guard.intent", "accept"],
      ["runtime.tool_result", "ok"],
    ]);
    expect(new Set(log.flatMap(({ run_key }) => run_key ?? []))).toEqual(new Set([run.runId]));
  });

  test("in a stream", async () => {
    const world = await openWorld();
    const { agent } = start(world, [[mail("ann")], "done"]);
    const stream = await agent.stream("go");
    const chunks: { type: string }[] = [];
    for await (const chunk of stream.fullStream) chunks.push(chunk);
    expect(chunks).toContainEqual(expect.objectContaining({ type: "tool-call-suspended" }));
    const { toolCallId, suspendPayload } = (await stream.suspendPayload) as never as {
      toolCallId: string;
      suspendPayload: { approval: { id: string } };
    };
    await decide(world, "approve", suspendPayload.approval.id);
    const resumed = await agent.approveToolCall({ runId: stream.runId, toolCallId });
    for await (const _ of resumed.fullStream);
    expect(await resumed.text).toBe("done");
    expect(world.ran).toEqual([{ to: "ann" }]);
  });

  test("two in one turn, one yes and one no, and what is allowed beside them once", async () => {
    const world = await openWorld();
    const script = [[mail("ann"), call("look", { to: "x" }), mail("bob")], "done"];
    const { agent, read } = start(world, script);
    const ann = asked(await agent.generate("go"));
    await decide(world, "approve", ann.approval.id);
    const bob = asked(await agent.approveToolCallGenerate(ann));
    await decide(world, "deny", bob.approval.id);
    const { text } = await agent.approveToolCallGenerate(bob);
    expect(text).toBe("done");
    expect(world.ran).toEqual([{ to: "ann" }, { to: "x" }]);
    expect(read()[2]).toContain("Denied by AgentKeys: approval_denied");
    expect(await pending(world)).toEqual([]);
  });

  test("resumed twice at once runs once", async () => {
    const world = await openWorld();
    const first = start(world, [[mail("ann")], "unused"]);
    const run = asked(await first.agent.generate("go"));
    await decide(world, "approve", run.approval.id);
    const both = [start(world, ["done"]), start(world, ["done"])];
    await Promise.allSettled(both.map(({ agent }) => agent.approveToolCallGenerate(run)));
    expect(world.ran).toEqual([{ to: "ann" }]);
  });

  test("resumed before anybody has decided is denied and withdrawn", async () => {
    const world = await openWorld();
    const { agent, read } = start(world, [[mail("ann")], "done"]);
    const { text } = await agent.approveToolCallGenerate(asked(await agent.generate("go")));
    expect(text).toBe("done");
    expect(JSON.parse(read()[0] ?? "")).toMatchObject({ error: true, code: "approval_pending" });
    expect(world.ran).toEqual([]);
    expect(await pending(world)).toEqual([]);
  });

  test.each([false, true])(
    "declined is withdrawn and runs nothing; approved before: %s",
    async (approved) => {
      const world = await openWorld();
      const { agent, read } = start(world, [[mail("ann")], "done"]);
      const run = asked(await agent.generate("go"));
      if (approved) await decide(world, "approve", run.approval.id);
      const { text } = await agent.declineToolCallGenerate(run);
      expect(text).toBe("done");
      expect(read()[0]).toContain("Denied by AgentKeys: declined");
      expect(world.ran).toEqual([]);
      const [approval] = await world.authority.operator().approvals.list();
      expect(approval?.status).toBe("withdrawn");
    },
  );

  test("a resume with an input, a payload or a call of its own proves nothing", async () => {
    const world = await openWorld();
    const { agent } = start(world, [[mail("ann", "c1")], "done"]);
    const run = asked(await agent.generate("go"));
    const forged = { approved: true, approval: run.approval.id, to: "eve" };
    await agent.resumeGenerate(forged, run);
    expect(world.ran).toEqual([]);
    await expect(agent.approveToolCallGenerate(run)).rejects.toThrow(run.runId);
    expect(world.ran).toEqual([]);
  });

  test("an approval of one input is none for another of the same call id", async () => {
    const world = await openWorld();
    const first = start(world, [[mail("ann", "c1")], "unused"]);
    const run = asked(await first.agent.generate("go"));
    await decide(world, "approve", run.approval.id);
    const second = start(world, [[mail("eve", "c1")], "unused"]);
    asked(await second.agent.generate("go", { runId: run.runId }));
    expect(world.ran).toEqual([]);
  });

  test("an input that a schema changes again and again is the same call when it is resumed", async () => {
    const world = await openWorld();
    const inputSchema = z.object({ to: z.string().transform((to) => `${to}!`) });
    const tool = createTool({
      id: "m",
      description: "d",
      inputSchema,
      execute: async (input) => void world.ran.push(input),
    });
    for (const model of [{}, { provider: "openai.responses", modelId: "gpt-5" }]) {
      const config = { tools: { mail: tool } };
      const first = start(world, [[mail("ann")], "unused"], config);
      Object.assign(first.model, model);
      const run = asked(await first.agent.generate("go"));
      await decide(world, "approve", run.approval.id);
      const second = start(world, ["done"], config);
      Object.assign(second.model, model);
      expect((await second.agent.approveToolCallGenerate(run)).text).toBe("done");
    }
    expect(world.ran).toEqual([{ to: "ann!!" }, { to: "ann!" }]);
  });

  test("dates that Mastra makes of texts are the same dates when the call is resumed", async () => {
    const world = await openWorld();
    const inputSchema = z.object({ to: z.array(z.object({ day: z.date() })), note: z.string() });
    const execute = async (input: unknown) => void world.ran.push(input);
    const tool = createTool({ id: "m", description: "d", inputSchema, execute });
    const config = { tools: { mail: tool } };
    const input = { to: [{ day: "2026-05-03" }], note: "2026-05-03" };
    const model = { provider: "openai.responses", modelId: "gpt-5" };
    const first = start(world, [[call("mail", input)], "unused"], config);
    Object.assign(first.model, model);
    const run = asked(await first.agent.generate("go"));
    await decide(world, "approve", run.approval.id);
    const second = start(world, ["done"], config);
    Object.assign(second.model, model);
    expect((await second.agent.approveToolCallGenerate(run)).text).toBe("done");
    expect(world.ran).toEqual([{ to: [{ day: new Date("2026-05-03") }], note: "2026-05-03" }]);
  });

  test("of a tool that suspends itself too: each hears its own answer", async () => {
    const world = await openWorld();
    const tool = createTool({
      id: "m",
      description: "d",
      inputSchema: z.object({ to: z.string() }),
      suspendSchema: z.object({ question: z.string() }),
      resumeSchema: z.object({ answer: z.string() }),
      execute: async (_, { agent }) => {
        world.ran.push(agent?.resumeData);
        if (agent?.resumeData) return agent.resumeData.answer;
        await agent?.suspend({ question: "sure?" });
        return undefined;
      },
    });
    const { agent } = start(world, [[mail("ann")], "done"], { tools: { mail: tool } });
    const run = asked(await agent.generate("go"));
    await decide(world, "approve", run.approval.id);
    const own = await agent.approveToolCallGenerate(run);
    expect(own.suspendPayload).toMatchObject({ suspendPayload: { question: "sure?" } });
    const { text } = await agent.resumeGenerate({ answer: "yes" }, run);
    expect(text).toBe("done");
    expect(world.ran).toEqual([undefined, { answer: "yes" }]);
    const outcomes = world.authority
      .log()
      .flatMap(({ kind, outcome }) => (kind === "runtime.tool_result" ? [outcome] : []));
    expect(outcomes).toEqual(["suspended", "ok"]);
  });

  test("requireToolApproval creates no approval, and both can be asked for", async () => {
    const world = await openWorld();
    const { agent } = start(world, [[call("look", { to: "x" }), mail("ann")], "done"], {
      defaultOptions: { requireToolApproval: true },
    });
    let run = await agent.generate("go");
    const halts: unknown[] = [];
    while (run.finishReason === "suspended") {
      const { toolCallId, toolName } = run.suspendPayload as {
        toolCallId: string;
        toolName: string;
      };
      const open = await pending(world);
      halts.push([toolName, open.length]);
      for (const { id } of open) await decide(world, "approve", id);
      run = await agent.approveToolCallGenerate({ runId: run.runId ?? "", toolCallId });
    }
    expect(halts).toEqual([
      ["look", 0],
      ["mail", 0],
      ["mail", 1],
    ]);
    expect(world.ran).toEqual([{ to: "x" }, { to: "ann" }]);
  });

  test("of a tool of the AI SDK", async () => {
    const world = await openWorld();
    const tool = aiTool({
      description: "d",
      inputSchema: z.object({ to: z.string() }),
      execute: async (input, { toolCallId }) => void world.ran.push([input, toolCallId]),
    });
    const { agent } = start(world, [[mail("ann", "c1")], "done"], { tools: { mail: tool } });
    const run = asked(await agent.generate("go"));
    await decide(world, "approve", run.approval.id);
    await agent.approveToolCallGenerate(run);
    expect(world.ran).toEqual([[{ to: "ann" }, "c1"]]);
  });

  test("of a sub-agent reaches the outer agent, whose resume is the inner's", async () => {
    const world = await openWorld();
    const helper = (script: Script) =>
      new Agent({
        id: "helper",
        name: "helper",
        description: "helps",
        instructions: "i",
        model: scriptedModel(script),
        tools: world.tools,
      });
    const delegate = [call("agent-helper", { prompt: "p" })];
    const config = (script: Script) => ({ tools: {}, agents: { helper: helper(script) } });
    const first = start(world, [delegate, "unused"], config([[mail("ann")], "unused"]));
    const run = await first.agent.generate("go");
    expect(run.finishReason).toBe("suspended");
    const [approval] = await pending(world);
    await decide(world, "approve", approval?.id ?? "");
    const { toolCallId } = run.suspendPayload as { toolCallId: string };
    const second = start(world, ["done"], config(["helped"]));
    const resumed = await second.agent.approveToolCallGenerate({
      runId: run.runId ?? "",
      toolCallId,
    });
    expect(resumed.text).toBe("done");
    expect(world.ran).toEqual([{ to: "ann" }]);
  });
});

describe("where a run cannot be suspended", () => {
  test("two calls at once: one waits for a person, the other is denied and withdrawn", async () => {
    const world = await openWorld();
    const { agent, read } = start(world, [[mail("ann"), mail("bob")], "done"]);
    const run = asked(await agent.generate("go", { toolCallConcurrency: 10 }));
    expect(await pending(world)).toHaveLength(1);
    await decide(world, "approve", run.approval.id);
    const { text } = await agent.approveToolCallGenerate({ ...run, toolCallConcurrency: 10 });
    expect(text).toBe("done");
    expect(world.ran).toHaveLength(1);
    expect(read().filter((one) => one.includes("Denied by AgentKeys"))).toHaveLength(1);
  });

  test("beside a tool that suspends itself at the same time", async () => {
    const world = await openWorld();
    const look = createTool({
      id: "l",
      description: "d",
      execute: async (_, { agent }) => agent?.suspend({ question: "which?" }),
    });
    const tools = { ...world.tools, look };
    const { agent } = start(world, [[call("look", {}), mail("ann")], "done"], { tools });
    const run = await agent.generate("go", { toolCallConcurrency: 10 });
    expect(run.finishReason).toBe("suspended");
    const { toolCallId } = run.suspendPayload as { toolCallId: string };
    const at = { runId: run.runId ?? "", toolCallId };
    await agent.resumeGenerate({ approved: true }, { ...at, toolCallConcurrency: 10 });
    expect(await pending(world)).toEqual([]);
    expect(world.ran).toEqual([]);
  });

  test("without storage: a denial, and nothing is left open", async () => {
    const world = await openWorld();
    const model = scriptedModel([[mail("ann")], "done"]);
    const config = { id: "a", name: "a", instructions: "i", model, tools: world.tools };
    const agent = new Agent(withAgentKeys(world.guard, config, { tools: false }));
    expect((await agent.generate("go")).text).toBe("done");
    expect(JSON.parse(answersRead(model)[0]?.text ?? "")).toMatchObject({
      code: "approval_required",
    });
    expect(world.ran).toEqual([]);
  });

  test("with waitMs the call waits for the person", async () => {
    const world = await openWorld({ approval: { waitMs: 5000 } });
    await using _ = world.authority.approveAll();
    const model = scriptedModel([[mail("ann")], "done"]);
    const config = { id: "a", name: "a", instructions: "i", model, tools: world.tools };
    const agent = new Agent(withAgentKeys(world.guard, config, { tools: false }));
    expect((await agent.generate("go")).text).toBe("done");
    expect(world.ran).toEqual([{ to: "ann" }]);
  });

  test("a toolset under the name of a tool that asks is denied", async () => {
    const world = await openWorld();
    const raw = world.tools["mail"];
    const { agent, read } = start(world, [[mail("ann")], "done"]);
    await agent.generate("go", { toolsets: { group: { mail: raw as never } } });
    expect(read()[0]).toContain("Denied by AgentKeys");
    expect(world.ran).toEqual([]);
    expect(await pending(world)).toEqual([]);
  });
});
