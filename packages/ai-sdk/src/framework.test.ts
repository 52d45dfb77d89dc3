import { AgentKeysError } from "@agentkeys/contract";
import type { AgentResult, AgentRun, FrameworkDriver, SuiteTool } from "@agentkeys/testing";
import { answersRead, offeredTo, scriptedModel } from "@agentkeys/testing/ai-sdk";
import { frameworkSuite } from "@agentkeys/testing/framework-suite";
import { generateText, isStepCount, streamText, tool, ToolLoopAgent } from "ai";
import type { ToolExecutionOptions, ToolSet } from "ai";
import { z } from "zod";
import { guardTools, withAgentKeys } from "./index.ts";

type Options = ToolExecutionOptions<unknown>;

function toTool({ description, schema, execute }: SuiteTool): ToolSet[string] {
  const streams = execute.constructor.name === "AsyncGeneratorFunction";
  return tool({
    description,
    inputSchema: schema,
    execute: streams
      ? async function* (input: unknown, { abortSignal: signal }: Options) {
          yield* execute(input as never, { signal }) as AsyncGenerator;
        }
      : async (input: unknown, { abortSignal: signal }: Options) =>
          execute(input as never, { signal }),
  });
}

const toTools = (tools: readonly SuiteTool[]): ToolSet =>
  Object.fromEntries(tools.map((each) => [each.name, toTool(each)]));

async function read(stream: AsyncIterable<{ type: string }>): Promise<unknown[]> {
  const preliminary: unknown[] = [];
  for await (const part of stream) {
    if (part.type === "error") throw (part as unknown as { error: unknown }).error;
    const { type, output, ...rest } = part as { type: string; output?: unknown };
    if (type === "tool-result" && "preliminary" in rest) preliminary.push(output);
  }
  return preliminary;
}

const driver: FrameworkDriver = {
  name: "AI SDK",
  generators: true,
  decidesAtOnce: false,

  async run({ guard, tools, script, signal, mode, own, replaceSeam }: AgentRun) {
    const model = scriptedModel(script);
    const config = withAgentKeys(
      guard,
      { model, tools: toTools(tools), stopWhen: isStepCount(20) },
      own === undefined ? {} : { tools: own === false ? false : [...own] },
    );
    const call = { prompt: "go", ...(signal && { abortSignal: signal }) };
    const agent = new ToolLoopAgent(config);
    const result = async (): Promise<Pick<AgentResult, "text" | "preliminary">> => {
      if (mode !== "stream") {
        const replaced = { ...config, ...call, toolApproval: () => undefined };
        const { text } = replaceSeam ? await generateText(replaced) : await agent.generate(call);
        return { text, preliminary: [] };
      }
      const streamed = replaceSeam
        ? streamText({ ...config, ...call, toolApproval: () => undefined })
        : await agent.stream(call);
      const preliminary = await read(streamed.stream);
      return { text: await streamed.text, preliminary };
    };
    return { ...(await result()), answers: answersRead(model), offered: offeredTo(model) };
  },

  async direct(guard, suiteTool, { input, id, signal }) {
    const { [suiteTool.name]: guarded } = guardTools(guard, toTools([suiteTool]));
    const options = { toolCallId: id, messages: [], abortSignal: signal } as unknown as Options;
    try {
      return { ran: true, result: await guarded?.execute?.(input, options) };
    } catch (error) {
      if (!AgentKeysError.is(error)) throw error;
      return { ran: false, text: error.message };
    }
  },

  async subAgent({ guard, tools, script }) {
    const model = scriptedModel(script);
    const inner = new ToolLoopAgent({ model, tools: guardTools(guard, toTools(tools)) });
    const delegate = tool({
      inputSchema: z.object({}),
      execute: async () => (await inner.generate({ prompt: "go" })).text,
    });
    const outer = scriptedModel([[{ name: "delegate", input: {} }], "outer done"]);
    await new ToolLoopAgent({ model: outer, tools: { delegate } }).generate({ prompt: "go" });
    return {
      text: answersRead(outer)[0]?.text ?? "",
      answers: answersRead(model),
      offered: offeredTo(model),
      preliminary: [],
    };
  },
};

frameworkSuite(driver);
