import { createGuard } from "@agentkeys/core";
import { mockAuthority } from "@agentkeys/testing";
import { answersRead, scriptedModel } from "@agentkeys/testing/openai-agents";
import { Agent, type ModelResponse, Runner, tool, toolSearchTool } from "@openai/agents";
import { Capability, SandboxAgent } from "@openai/agents-core/sandbox";
import { UnixLocalSandboxClient } from "@openai/agents-core/sandbox/local";
import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { guardAgent, withAgentKeys } from "./index.ts";

// Tools that no configuration lists: they come while the agent runs.

const runner = new Runner({ tracingDisabled: true });
const call = (price: number) => [{ name: "pay", input: { price } }];

async function open() {
  const actor = { scopes: { "payment.spend": { currency: "RMB", per_call: 500 } } };
  const authority = await mockAuthority({ actor });
  onTestFinished(() => authority.close());
  const guard = createGuard<{ pay: { price: number } }>({
    client: authority.client(),
    tools: { pay: { scope: "payment.spend", params: ({ price }) => ({ amount_rmb: price }) } },
  });
  const paid: number[] = [];
  const pay = tool({
    name: "pay",
    description: "pays",
    parameters: z.object({ price: z.number() }),
    execute: ({ price }) => {
      paid.push(price);
      return `paid ${price}`;
    },
  });
  return { guard, paid, pay };
}

test("what the program's own tool search finds is guarded", async () => {
  const { guard, paid, pay } = await open();
  const model = scriptedModel([[], call(600), call(100), "done"]);
  const { getResponse } = model;
  const search: ModelResponse["output"][number] = {
    type: "tool_search_call",
    id: "s1",
    call_id: "s1",
    execution: "client",
    arguments: { query: "paying" },
  } as never;
  model.getResponse = async (request) => {
    const response = await getResponse(request);
    return response.output.length > 0 ? response : { ...response, output: [search] };
  };
  const finder = toolSearchTool({
    execution: "client",
    description: "finds",
    parameters: {
      type: "object",
      properties: { query: { type: "string" } },
      required: ["query"],
      additionalProperties: false,
    },
    execute: async () => [pay],
  });
  const config = { name: "a", model, tools: [finder] };
  const agent = new Agent(withAgentKeys(guard, config, { tools: false }));
  await runner.run(agent, "go");
  expect(answersRead(model).map(({ refused }) => refused)).toEqual([true, false]);
  expect(paid).toEqual([100]);
});

test.each(["withAgentKeys", "guardAgent"])(
  "what a sandbox adds to its agent is guarded: %s",
  async (way) => {
    const { guard, paid, pay } = await open();
    class Paying extends Capability {
      readonly type = "paying";
      override tools = () => [pay];
    }
    const model = scriptedModel([call(600), call(100), "done"]);
    const config = { name: "a", model, capabilities: [new Paying()] };
    const agent =
      way === "guardAgent"
        ? guardAgent(guard, new SandboxAgent(config))
        : new SandboxAgent(withAgentKeys(guard, config, { tools: false }));
    const sandbox = { client: new UnixLocalSandboxClient() };
    await runner.run(agent, "go", { sandbox });
    expect(answersRead(model).map(({ refused }) => refused)).toEqual([true, false]);
    expect(paid).toEqual([100]);
  },
);

test("an agent whose tools are replaced stays governed by its handoffs", async () => {
  const { guard, paid, pay } = await open();
  const model = scriptedModel([call(600), call(100), "done"]);
  const agent = new Agent(withAgentKeys(guard, { name: "a", model }, { tools: false }));
  await runner.run(agent.clone({ tools: [pay] }), "go");
  expect(paid).toEqual([100]);
});
