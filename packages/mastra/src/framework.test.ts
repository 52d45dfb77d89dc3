import { isDeniedOutput } from "@agentkeys/core";
import type { AgentRun, FrameworkDriver, SuiteTool } from "@agentkeys/testing";
import { frameworkSuite } from "@agentkeys/testing/framework-suite";
import { answersRead, offeredTo, scriptedModel } from "@agentkeys/testing/mastra";
import { Agent, type ToolsInput } from "@mastra/core/agent";
import { createTool } from "@mastra/core/tools";
import { z } from "zod";
import { guardTools, withAgentKeys } from "./index.ts";

const toTool = ({ name, description, schema, execute }: SuiteTool) =>
  createTool({
    id: name,
    description,
    inputSchema: schema,
    execute: async (input, { abortSignal: signal }) => execute(input as never, { signal }),
  });

const toTools = (tools: readonly SuiteTool[]): ToolsInput =>
  Object.fromEntries(tools.map((tool) => [tool.name, toTool(tool)]));

const identity = (name: string) => ({ id: name, name, instructions: "i" });

async function play(agent: Pick<Agent, "generate" | "stream">, run: AgentRun): Promise<string> {
  const options = {
    maxSteps: 20,
    ...(run.signal && { abortSignal: run.signal }),
    ...(run.replaceSeam && { hooks: { beforeToolCall: () => undefined } }),
  };
  if (run.mode !== "stream") return (await agent.generate("go", options)).text;
  const stream = await agent.stream("go", options);
  for await (const chunk of stream.fullStream) {
    if (chunk.type === "error") throw chunk.payload.error;
  }
  return stream.text;
}

const driver: FrameworkDriver = {
  name: "Mastra",
  generators: false,
  decidesAtOnce: false,

  async run(run) {
    const { guard, own } = run;
    const model = scriptedModel(run.script);
    const config = withAgentKeys(
      guard,
      { ...identity("agent"), model, tools: toTools(run.tools) },
      own === undefined ? {} : { tools: own },
    );
    const text = await play(new Agent(config), run);
    return { text, answers: answersRead(model), offered: offeredTo(model), preliminary: [] };
  },

  async direct(guard, suiteTool, { input, id, signal }) {
    const { [suiteTool.name]: guarded } = guardTools(guard, {
      [suiteTool.name]: toTool(suiteTool),
    });
    const agent = id && { toolCallId: id, agentId: "agent", messages: [] };
    const result: unknown = await guarded?.execute?.(
      input as never,
      { abortSignal: signal, ...(agent && { agent }) } as never,
    );
    return isDeniedOutput(result) ? { ran: false, text: result.message } : { ran: true, result };
  },

  async subAgent(run) {
    const model = scriptedModel(run.script);
    const inner = { ...identity("inner"), model, tools: guardTools(run.guard, toTools(run.tools)) };
    let text = "";
    const delegate = createTool({
      id: "delegate",
      description: "hands the task over",
      inputSchema: z.object({}),
      execute: async () => (text = await play(new Agent(inner), run)),
    });
    const outer = scriptedModel([[{ name: "delegate", input: {} }], "done"]);
    await new Agent({ ...identity("outer"), model: outer, tools: { delegate } }).generate("go");
    return { text, answers: answersRead(model), offered: offeredTo(model), preliminary: [] };
  },
};

frameworkSuite(driver);
