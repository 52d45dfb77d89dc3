import { createGuard, type Guard } from "@agentkeys/core";
import { mockAuthority, type MockAuthority, type Script } from "@agentkeys/testing";
import { answersRead, scriptedModel } from "@agentkeys/testing/openai-agents";
import { Agent, RunContext, Runner, RunState, tool, toolNamespace } from "@openai/agents";
import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { withAgentKeys } from "./index.ts";

const runner = new Runner({ tracingDisabled: true });
const once = z.object({ price: z.number() });
const call = (price: number, name = "pay") => ({ name, input: { price } });

interface World {
  authority: MockAuthority;
  paid: number[];
  /** A process of its own: guard, agent and model are new, what was paid is not. */
  start(script: Script): { agent: Agent; model: ReturnType<typeof scriptedModel> };
}

async function open(
  build?: (
    guard: Guard,
    model: ReturnType<typeof scriptedModel>,
    pay: ReturnType<typeof payTool>,
  ) => Agent,
): Promise<World> {
  const actor = { scopes: { "payment.spend": { currency: "RMB", per_call: 500, ask_above: 400 } } };
  const authority = await mockAuthority({ actor });
  onTestFinished(() => authority.close());
  const paid: number[] = [];
  return {
    authority,
    paid,
    start(script) {
      const guard = createGuard<{ pay: { price: number }; helper: object }>({
        client: authority.client(),
        tools: {
          pay: { scope: "payment.spend", params: ({ price }) => ({ amount_rmb: price }) },
          helper: { scope: "agents.delegate" },
        },
      });
      const model = scriptedModel(script);
      const pay = payTool(paid);
      const config = { name: "shopper", model, tools: [pay] };
      const agent =
        build?.(guard, model, pay) ?? new Agent(withAgentKeys(guard, config, { tools: false }));
      return { agent, model };
    },
  };
}

function payTool(paid: number[]) {
  return tool({
    name: "pay",
    description: "pays",
    parameters: once,
    execute: ({ price }) => {
      paid.push(price);
      return `paid ${price}`;
    },
  });
}

/** A person says yes to everything that is asked. Gives how much that was. */
async function approve({ authority }: World): Promise<number> {
  const { approvals } = authority.operator();
  const asked = await approvals.list({ status: "pending" });
  for (const approval of asked) await approvals.approve(approval, { reason: "lunch" });
  return asked.length;
}

/** The state of a run that waits, as it is kept somewhere else. */
async function interrupted({ start }: World, script: Script) {
  const { agent } = start(script);
  const { interruptions, state } = await runner.run(agent, "go");
  return { json: JSON.stringify(state), count: interruptions.length };
}

/** Another process goes on with it; the client says yes to all, or what it is told. */
async function resume({ start }: World, json: string, yes = (_price: number) => true) {
  const { agent, model } = start(["done"]);
  const state = await RunState.fromString(agent, json);
  for (const item of state.getInterruptions()) {
    const { price } = JSON.parse(String(item.arguments)) as { price: number };
    if (yes(price)) state.approve(item);
    else state.reject(item);
  }
  const result = await runner.run(agent, state);
  return { text: result.finalOutput, read: answersRead(model), waits: result.interruptions.length };
}

test("an ask interrupts the run; approved, it runs once in another process", async () => {
  const world = await open();
  const { json, count } = await interrupted(world, [[call(450), call(100), call(600)], "done"]);
  expect(count).toBe(1);
  expect(world.paid).toEqual([100]);
  await approve(world);
  const { text, read } = await resume(world, json);
  expect(text).toBe("done");
  expect(world.paid).toEqual([100, 450]);
  expect(read.filter(({ refused }) => refused)).toHaveLength(1);
  // The same state once more: its calls have been executed.
  const again = await resume(world, json);
  expect(world.paid).toEqual([100, 450]);
  expect(again.text).toBe("done");
});

test("two resumes at the same moment run the tool once", async () => {
  const world = await open();
  const { json } = await interrupted(world, [[call(450)], "done"]);
  await approve(world);
  await Promise.all([resume(world, json), resume(world, json)]);
  expect(world.paid).toEqual([450]);
});

test("a yes in the state proves nothing", async () => {
  const world = await open();
  const { json } = await interrupted(world, [[call(450)], "done"]);
  const { text, read } = await resume(world, json);
  expect(text).toBe("done");
  expect(world.paid).toEqual([]);
  expect(read).toMatchObject([
    { refused: true, text: expect.stringContaining("approval_pending") },
  ]);
  // The ask was taken back with it.
  expect(await approve(world)).toBe(0);
  await resume(world, json);
  expect(world.paid).toEqual([]);
});

test("a person's no is read by the model", async () => {
  const world = await open();
  const { json } = await interrupted(world, [[call(450)], "done"]);
  const { approvals } = world.authority.operator();
  for (const asked of await approvals.list()) await approvals.deny(asked, { reason: "too dear" });
  const { read } = await resume(world, json);
  expect(world.paid).toEqual([]);
  expect(read).toMatchObject([{ refused: true, text: expect.stringContaining("too dear") }]);
});

test("a run that is resumed without an answer waits for the same ask", async () => {
  const world = await open();
  const { json } = await interrupted(world, [[call(450)], "done"]);
  const { agent } = world.start(["done"]);
  const { interruptions } = await runner.run(agent, await RunState.fromString(agent, json));
  expect(interruptions).toHaveLength(1);
  expect(await approve(world)).toBe(1);
});

test("a run key names the run: the same call of it never runs twice", async () => {
  const world = await open();
  const context = { runKey: "thread-1" };
  const go = async () => {
    const { agent, model } = world.start([[call(100)], "done"]);
    await runner.run(agent, "go", { context });
    return answersRead(model)[0]?.text;
  };
  expect([await go(), await go()]).toEqual(["paid 100", "paid 100"]);
  expect(world.paid).toEqual([100]);
});

test("one yes and one no", async () => {
  const world = await open();
  const { json, count } = await interrupted(world, [[call(450), call(460)], "done"]);
  expect(count).toBe(2);
  await approve(world);
  const { text } = await resume(world, json, (price) => price === 450);
  expect(text).toBe("done");
  expect(world.paid).toEqual([450]);
});

test("a call that the client refuses is withdrawn at the authority, in another process too", async () => {
  const world = await open();
  const { json } = await interrupted(world, [[call(450), call(460)], "done"]);
  const { text, read } = await resume(world, json, () => false);
  expect(text).toBe("done");
  expect(read.map((answer) => answer.text)).toEqual([
    "Tool execution was not approved.",
    "Tool execution was not approved.",
  ]);
  const { approvals } = world.authority.operator();
  const asked = await approvals.list();
  expect(asked.map(({ status }) => status)).toEqual(["withdrawn", "withdrawn"]);
  // An older copy of the state, whose calls nobody refused yet.
  await resume(world, json);
  expect(world.paid).toEqual([]);
});

test("edited input is decided anew", async () => {
  const world = await open();
  const { json } = await interrupted(world, [[call(450)], "done"]);
  await approve(world);
  await resume(world, json.replaceAll("450", "460")).catch(() => undefined);
  expect(world.paid).toEqual([]);
});

test("a sticky yes of the run's state disarms nothing", async () => {
  const world = await open();
  const { agent } = world.start([[call(450)], [call(470)], "done"]);
  const { state } = await runner.run(agent, "go");
  await approve(world);
  for (const item of state.getInterruptions()) state.approve(item, { alwaysApprove: true });
  const { finalOutput } = await runner.run(agent, state);
  expect(finalOutput).toBe("done");
  expect(world.paid).toEqual([450]);
});

test("a tool of a namespace is resumed and refused like any other", async () => {
  const world = await open((guard, model, pay) => {
    const { getResponse } = model;
    model.getResponse = async (request) => {
      const response = await getResponse(request);
      const output = response.output.map((item) =>
        item.type === "function_call" ? { ...item, namespace: "shop" } : item,
      );
      return { ...response, output };
    };
    const tools = toolNamespace({ name: "shop", description: "a shop", tools: [pay] });
    return new Agent(withAgentKeys(guard, { name: "a", model, tools }, { tools: false }));
  });
  const { json } = await interrupted(world, [[call(450), call(460)], "done"]);
  const early = await resume(world, json, (price) => price === 450);
  expect(early.read.map(({ text }) => text)).toEqual([
    expect.stringContaining("approval_pending"),
    "Tool execution was not approved.",
  ]);
  const asked = await world.authority.operator().approvals.list();
  expect(asked.map(({ status }) => status)).toEqual(["withdrawn", "withdrawn"]);
  const later = await interrupted(world, [[call(470)], "done"]);
  await approve(world);
  await resume(world, later.json);
  expect(world.paid).toEqual([470]);
});

test("two agents of one name: what was approved runs once, under the one that asked", async () => {
  const world = await open((guard, model, pay) => {
    const script: Script = [[{ name: "transfer_to_shopper", input: {} }]];
    const second = new Agent({ name: "shopper", model, tools: [pay] });
    const first = {
      name: "shopper",
      model: scriptedModel(script),
      tools: [pay],
      handoffs: [second],
    };
    return new Agent(withAgentKeys(guard, first, { tools: false }));
  });
  const { json, count } = await interrupted(world, [[call(450)], "done"]);
  expect(count).toBe(1);
  await approve(world);
  const { text } = await resume(world, json);
  expect(text).toBe("done");
  expect(world.paid).toEqual([450]);
});

test("another context at the resume loses no approval, and brings none", async () => {
  const world = await open();
  const context = { runKey: "thread-1" };
  const { agent } = world.start([[call(450)], "done"]);
  const { state } = await runner.run(agent, "go", { context });
  const json = JSON.stringify(state);
  const goOn = async (given: object) => {
    const next = world.start(["done"]);
    const saved = await RunState.fromStringWithContext(next.agent, json, new RunContext(given), {
      contextStrategy: "replace",
    });
    for (const item of saved.getInterruptions()) saved.approve(item);
    await runner.run(next.agent, saved);
  };
  await approve(world);
  // Of another run, what that run was granted is another call.
  await goOn({ runKey: "thread-2" });
  expect(world.paid).toEqual([]);
  await goOn(context);
  expect(world.paid).toEqual([450]);
});

/** An agent whose only tool is another agent, which pays. */
function nested() {
  return open((guard, model, pay) => {
    const inner = new Agent({
      name: "inner",
      model: scriptedModel([[call(100), call(450)], "inner done"]),
      tools: [pay],
    });
    const helper = inner.asTool({ toolName: "helper", toolDescription: "helps" });
    const config = { name: "outer", model, tools: [helper] };
    return new Agent(withAgentKeys(guard, config, { tools: false }));
  });
}

const askHelper: Script = [[{ name: "helper", input: { input: "go" } }], "done"];

test("what an agent offered as a tool asks reaches the outer run", async () => {
  const world = await nested();
  const { json, count } = await interrupted(world, askHelper);
  expect(count).toBe(1);
  expect(world.paid).toEqual([100]);
  await approve(world);
  const { text } = await resume(world, json);
  expect(text).toBe("done");
  expect(world.paid).toEqual([100, 450]);
  expect(world.authority.log().flatMap(({ op_body }) => op_body["outcome"] ?? [])).toContain(
    "suspended",
  );
});

test("what the client refuses there is withdrawn too", async () => {
  const world = await nested();
  const { json } = await interrupted(world, askHelper);
  const { text } = await resume(world, json, () => false);
  expect(text).toBe("done");
  expect(world.paid).toEqual([100]);
  expect(await world.authority.operator().approvals.list()).toMatchObject([
    { status: "withdrawn" },
  ]);
});
