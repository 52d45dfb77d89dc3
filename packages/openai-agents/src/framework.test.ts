import type { AgentResult, AgentRun, FrameworkDriver, SuiteTool } from "@agentkeys/testing";
import { frameworkSuite } from "@agentkeys/testing/framework-suite";
import { answersRead, offeredTo, scriptedModel } from "@agentkeys/testing/openai-agents";
import { Agent, RunContext, Runner, tool } from "@openai/agents";
import type { FunctionTool } from "@openai/agents";
import { guardTools, withAgentKeys } from "./index.ts";

const runner = new Runner({ tracingDisabled: true });

function toTool({ name, description, schema, execute }: SuiteTool): FunctionTool {
  return tool({
    name,
    description,
    parameters: schema,
    execute: (input, _context, details) => execute(input as never, { signal: details?.signal }),
  }) as unknown as FunctionTool;
}

const driver: FrameworkDriver = {
  name: "OpenAI Agents",
  generators: false,
  decidesAtOnce: true,
  endsOnRepeatedId: true,

  async run({ guard, tools, script, signal, mode, own, replaceSeam }: AgentRun) {
    const model = scriptedModel(script);
    const config = withAgentKeys(
      guard,
      { name: "suite", model, tools: tools.map(toTool) },
      own === undefined ? {} : { tools: own === false ? false : [...own] },
    );
    const agent = new Agent(config);
    // What a run can be given is another agent: a list of its own takes it out of the seam.
    const started = replaceSeam ? agent.clone({ tools: [...agent.tools] }) : agent;
    const options = { maxTurns: 30, ...(signal && { signal }) };
    const result =
      mode === "stream"
        ? await runner.run(started, "go", { ...options, stream: true })
        : await runner.run(started, "go", options);
    if ("completed" in result) await result.completed;
    const text = result.interruptions.length > 0 ? "" : String(result.finalOutput);
    const read = { answers: answersRead(model), offered: offeredTo(model) };
    return { text, ...read, preliminary: [] };
  },

  async direct(guard, suiteTool, { input, id, signal }) {
    const [guarded] = guardTools(guard, [toTool(suiteTool)]);
    const toolCall = { type: "function_call", callId: id, name: suiteTool.name } as never;
    const text = JSON.stringify(input);
    const answer = await guarded?.invoke(new RunContext(), text, {
      ...(id !== undefined && { toolCall }),
      ...(signal && { signal }),
    });
    const denied = typeof answer === "string" && answer.startsWith("Denied by AgentKeys: ");
    return denied ? { ran: false, text: answer } : { ran: true, result: answer };
  },

  async subAgent({ guard, tools, script }): Promise<AgentResult> {
    const model = scriptedModel(script);
    const inner = new Agent({
      name: "inner",
      model,
      tools: guardTools(guard, tools.map(toTool)),
    });
    const delegate = tool({
      name: "delegate",
      description: "delegates",
      parameters: { type: "object", properties: {}, required: [], additionalProperties: false },
      execute: async () => (await runner.run(inner, "go")).finalOutput,
    });
    const outer = scriptedModel([[{ name: "delegate", input: {} }], "outer done"]);
    await runner.run(new Agent({ name: "outer", model: outer, tools: [delegate] }), "go");
    const read = { answers: answersRead(model), offered: offeredTo(model) };
    return { text: answersRead(outer)[0]?.text ?? "", ...read, preliminary: [] };
  },
};

frameworkSuite(driver);
