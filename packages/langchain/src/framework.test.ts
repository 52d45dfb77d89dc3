import type { AgentResult, AgentRun, FrameworkDriver, SuiteTool } from "@agentkeys/testing";
import { frameworkSuite } from "@agentkeys/testing/framework-suite";
import {
  answersRead,
  offeredTo,
  type ScriptedModel,
  scriptedModel,
} from "@agentkeys/testing/langchain";
import { ToolMessage } from "@langchain/core/messages";
import { type StructuredTool, tool } from "@langchain/core/tools";
import { createAgent, createMiddleware, type ReactAgent } from "langchain";
import { z } from "zod";
import { guardTools, withAgentKeys } from "./index.ts";

/** No option of a run replaces a middleware of LangChain's; the nearest is one outside that runs the tool by itself. */
const impatient = createMiddleware({
  name: "Impatient",
  wrapToolCall: ({ tool: object, toolCall }) =>
    (object as StructuredTool).invoke({ ...toolCall, type: "tool_call" }) as Promise<ToolMessage>,
});

const toTool = ({ name, description, schema, execute }: SuiteTool) =>
  tool((input, { signal }) => execute(input as never, { signal }), { name, description, schema });

const toResult = (text: string, model: ScriptedModel): AgentResult => {
  return { text, answers: answersRead(model), offered: offeredTo(model), preliminary: [] };
};

async function play(agent: ReactAgent, model: ScriptedModel, run: AgentRun): Promise<AgentResult> {
  const input = { messages: "go" };
  const options = { recursionLimit: 100, ...(run.signal && { signal: run.signal }) };
  if (run.mode !== "stream") {
    const { messages } = await agent.invoke(input, options);
    return toResult(messages.at(-1)?.text ?? "", model);
  }
  const preliminary: unknown[] = [];
  let text = "";
  const stream = await agent.stream(input, { ...options, streamMode: ["values", "tools"] });
  for await (const [mode, chunk] of stream) {
    if (mode === "values") text = chunk.messages.at(-1)?.text ?? "";
    else if (chunk.event === "on_tool_event") preliminary.push(chunk.data);
  }
  return { ...toResult(text, model), preliminary };
}

const driver: FrameworkDriver = {
  name: "LangChain.js",
  generators: true,
  decidesAtOnce: true,
  async run(run) {
    const model = scriptedModel(run.script);
    const config = {
      model,
      tools: run.tools.map(toTool),
      middleware: run.replaceSeam ? [impatient] : [],
    };
    const { own } = run;
    return play(
      createAgent(withAgentKeys(run.guard, config, own === undefined ? {} : { tools: own })),
      model,
      run,
    );
  },
  async direct(guard, suiteTool, { input, id, signal }) {
    const [guarded] = guardTools(guard, [toTool(suiteTool)]);
    const { name } = suiteTool;
    const call = {
      type: "tool_call" as const,
      name,
      id: id ?? "",
      args: input as Record<string, unknown>,
    };
    const result: unknown = await guarded.invoke(id === undefined ? call.args : call, {
      ...(signal && { signal }),
    });
    if (ToolMessage.isInstance(result) && result.status === "error")
      return { ran: false, text: result.text };
    return { ran: true, result };
  },
  async subAgent(run) {
    const model = scriptedModel(run.script);
    const inner = createAgent({ model, tools: guardTools(run.guard, run.tools.map(toTool)) });
    let result = toResult("", model);
    const delegate = tool(
      async () => {
        result = await play(inner, model, run);
        return result.text;
      },
      { name: "delegate", description: "hands the task over", schema: z.object({}) },
    );
    const outer = scriptedModel([[{ name: "delegate", input: {} }], "done"]);
    await createAgent({ model: outer, tools: [delegate] }).invoke({ messages: "go" });
    return result;
  },
};

frameworkSuite(driver);
