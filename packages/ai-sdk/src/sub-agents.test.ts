import { createGuard, type Guard } from "@agentkeys/core";
import { mockAuthority, type MockAuthority } from "@agentkeys/testing";
import { answersRead, scriptedModel } from "@agentkeys/testing/ai-sdk";
import "@agentkeys/testing/vitest";
import {
  generateText,
  isStepCount,
  streamText,
  type TelemetryOptions,
  tool,
  ToolLoopAgent,
  type ToolSet,
} from "ai";
import { describe, expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { agentKeysTools, guardTools, withAgentKeys } from "./index.ts";

interface World {
  authority: MockAuthority;
  guard: Guard;
  ran: string[];
  raw: ToolSet[string];
}

async function open(): Promise<World> {
  const authority = await mockAuthority();
  onTestFinished(() => authority.close());
  const client = authority.client();
  const guard = createGuard({ client, tools: {}, classify: () => ({ scope: "any" }) });
  const ran: string[] = [];
  const raw = tool({ inputSchema: z.object({}), execute: async () => ran.push("raw") });
  return { authority, guard, ran, raw };
}

interface Inner {
  tools: ToolSet;
  telemetry?: TelemetryOptions;
  mode?: "generate" | "stream";
}

/** A guarded tool runs an agent of its own, which calls `inner`; what that agent's model read. */
async function inside({ guard }: World, { tools, telemetry, mode = "generate" }: Inner) {
  const model = scriptedModel([[{ name: "inner", input: {} }], "inner done"]);
  const options = {
    model,
    tools,
    prompt: "go",
    stopWhen: isStepCount(3),
    ...(telemetry && { telemetry }),
  };
  const delegate = tool({
    inputSchema: z.object({}),
    execute: async () => {
      if (mode === "generate") return (await generateText(options)).text;
      return streamText(options).text;
    },
  });
  const outer = scriptedModel([[{ name: "delegate", input: {} }], "outer done"]);
  const config = withAgentKeys(guard, { model: outer, tools: { delegate } }, { tools: false });
  const { text } = await new ToolLoopAgent(config).generate({ prompt: "go" });
  expect(text).toBe("outer done");
  expect(answersRead(outer)).toMatchObject([{ text: "inner done" }]);
  return answersRead(model);
}

describe("an agent that is built inside a guarded tool", () => {
  test.each(["generate", "stream"] as const)("may not run raw tools (%s)", async (mode) => {
    const world = await open();
    const answers = await inside(world, { tools: { inner: world.raw }, mode });
    expect(answers).toMatchObject([
      { refused: true, text: expect.stringContaining("Denied by AgentKeys: unguarded_tool") },
    ]);
    expect(world.ran).toEqual([]);
    expect(world.authority).toHaveDenied({ tool: "inner", reason: "unguarded_tool" });
  });

  test.each(["generate", "stream"] as const)(
    "runs guarded ones, of any guard (%s)",
    async (mode) => {
      const world = await open();
      const { raw: inner, guard, authority } = world;
      const client = authority.client();
      const other = createGuard({ client, tools: { inner: { scope: "any" } } });
      for (const one of [guard, other]) {
        const answers = await inside(world, { tools: guardTools(one, { inner }), mode });
        expect(answers).toMatchObject([{ refused: false }]);
      }
      expect(world.ran).toEqual(["raw", "raw"]);
    },
  );

  test("runs AgentKeys' own, and no raw one that hides a guarded one's mark", async () => {
    const world = await open();
    const own: ToolSet = agentKeysTools(world.guard.client);
    const inner = own["agentkeys_identity_whoami"] as ToolSet[string];
    expect(await inside(world, { tools: { inner } })).toMatchObject([{ refused: false }]);
    const { inner: guarded } = guardTools(world.guard, { inner: world.raw });
    const copied = { ...guarded, execute: world.raw.execute } as ToolSet[string];
    expect(await inside(world, { tools: { inner: copied } })).toMatchObject([{ refused: true }]);
    expect(world.ran).toEqual([]);
  });

  test("is refused where the SDK does not show its tools", async () => {
    const world = await open();
    const telemetry = { recordInputs: false };
    const raw = { inner: world.raw };
    expect(await inside(world, { tools: raw, telemetry })).toMatchObject([{ refused: true }]);
    expect(world.ran).toEqual([]);
    // The oldest versions show them all the same, and then the guarded one decides for itself.
    const tools = guardTools(world.guard, raw);
    const [answer] = await inside(world, { tools, telemetry });
    expect(world.ran).toEqual(answer?.refused === true ? [] : ["raw"]);
  });

  test("goes on being watched when its tool has answered", async () => {
    const world = await open();
    const model = scriptedModel([[{ name: "inner", input: {} }], "inner done"]);
    let working: PromiseLike<unknown> | undefined;
    const { delegate } = guardTools(world.guard, {
      delegate: tool({
        inputSchema: z.object({}),
        execute: () => {
          working = Promise.resolve().then(() =>
            generateText({
              model,
              tools: { inner: world.raw },
              prompt: "go",
              stopWhen: isStepCount(3),
            }),
          );
          return "started";
        },
      }),
    });
    await delegate.execute?.({}, { toolCallId: "c1", messages: [], context: {} });
    await working;
    expect(answersRead(model)).toMatchObject([{ refused: true }]);
    expect(world.ran).toEqual([]);
  });

  // What cannot be covered: the day that one of these fails is a good one.
  test.each<[string, TelemetryOptions]>([
    ["integrations of its own", { integrations: [] }],
    ["telemetry switched off", { isEnabled: false }],
  ])("escapes with %s", async (_, telemetry) => {
    const world = await open();
    await inside(world, { tools: { inner: world.raw }, telemetry });
    expect(world.ran).toEqual(["raw"]);
  });
});

test("an agent outside of guarded calls is left alone", async () => {
  const world = await open();
  const model = scriptedModel([[{ name: "inner", input: {} }], "done"]);
  const raw = { model, tools: { inner: world.raw }, prompt: "go", stopWhen: isStepCount(3) };
  await generateText(raw);
  await streamText({ ...raw, model: scriptedModel([[{ name: "inner", input: {} }], "done"]) }).text;
  expect(world.ran).toEqual(["raw", "raw"]);
  expect(world.authority.log()).toEqual([]);
});
