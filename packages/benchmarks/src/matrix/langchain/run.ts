import { withAgentKeys } from "@agentkeys/langchain";
import type { Script } from "@agentkeys/testing";
import { answersRead, type ScriptedModel, scriptedModel } from "@agentkeys/testing/langchain";
import { type StructuredTool, tool } from "@langchain/core/tools";
import { Command, type MemorySaver } from "@langchain/langgraph";
import { type AgentMiddleware, createAgent } from "langchain";
import { z } from "zod";
import type { Played } from "../observe.ts";
import type { Mode } from "../shapes.ts";
import type { Stage } from "../stage.ts";

export const price = z.object({ price: z.number() });

export const call = (amount: number, name = "pay", id?: string) => {
  return { name, input: { price: amount }, ...(id !== undefined && { id }) };
};

/** One that is denied, then one that runs. */
export const script = [[call(600)], [call(200)], "done"] as const;

/** The stage's tool as a raw one of LangChain's. */
export function payTool(
  stage: Pick<Stage, "pay">,
  body = (input: { price: number }) => stage.pay(input),
) {
  return tool(body as (input: unknown) => unknown, {
    name: "pay",
    description: "pays",
    schema: price,
  });
}

export interface AgentOptions {
  readonly script: Script;
  readonly tools?: readonly object[];
  readonly middleware?: readonly AgentMiddleware[];
  readonly checkpointer?: MemorySaver;
}

/** What `createAgent` takes, under the stage's guard. */
function configOf(stage: Stage, options: AgentOptions) {
  const { tools = [payTool(stage)], middleware = [], checkpointer } = options;
  const model = scriptedModel(options.script);
  const given = { model, tools: tools as StructuredTool[], middleware: [...middleware] };
  return {
    model,
    config: withAgentKeys(
      stage.guard,
      checkpointer === undefined ? given : { ...given, checkpointer },
      { tools: false },
    ),
  };
}

/** An agent, or a graph around some, whatever its state. */
export interface Runs {
  readonly graph: {
    invoke(input: never, options: object): Promise<unknown>;
    batch(inputs: never[], options: object): Promise<unknown>;
    stream(input: never, options: object): Promise<AsyncIterable<unknown>>;
    streamEvents(input: never, options: { version: "v2" }): AsyncIterable<unknown>;
  };
}

export function agentOf(stage: Stage, options: AgentOptions) {
  const { model, config } = configOf(stage, options);
  return { model, agent: createAgent(config) };
}

/** Runs a guarded agent to its end and tells what its model read. */
export async function run(
  stage: Stage,
  mode: Mode,
  { options, ...given }: AgentOptions & { readonly options?: Record<string, unknown> },
): Promise<Pick<Played, "read" | "survived">> {
  const { agent, model } = agentOf(stage, given);
  const survived = await start(agent, mode, { ...(options && { options }) }).then(
    () => true,
    () => false,
  );
  return { read: readBy(model), survived };
}

export function readBy(model: ScriptedModel): string[] {
  return answersRead(model).map(({ text }) => text);
}

export const thread = { configurable: { thread_id: "t" } };

/** Goes on with the thread. */
export function resume(agent: Runs, mode: Mode, value: unknown): Promise<void> {
  return start(agent, mode, { input: new Command({ resume: value }), options: thread });
}

/** In this mode, to the end. */
export async function start(
  { graph }: Runs,
  mode: Mode,
  { input = { messages: "go" }, options = {} }: { input?: unknown; options?: object } = {},
): Promise<void> {
  const limits = { recursionLimit: 60, ...options };
  const given = input as never;
  if (mode === "invoke") await graph.invoke(given, limits);
  else if (mode === "batch") await graph.batch([given], limits);
  else if (mode === "stream") for await (const _ of await graph.stream(given, limits));
  else for await (const _ of graph.streamEvents(given, { ...limits, version: "v2" }));
}
