import { withAgentKeys } from "@agentkeys/mastra";
import type { Script } from "@agentkeys/testing";
import { answersRead, scriptedModel } from "@agentkeys/testing/mastra";
import { Mastra } from "@mastra/core";
import { Agent, type ToolsInput } from "@mastra/core/agent";
import type { InMemoryStore } from "@mastra/core/storage";
import { createTool } from "@mastra/core/tools";
import { z } from "zod";
import type { Played } from "../observe.ts";
import type { Mode } from "../shapes.ts";
import type { Stage } from "../stage.ts";

type Model = ReturnType<typeof scriptedModel>;

export const price = z.object({ price: z.number() });

export const call = (amount: number, name = "pay", id?: string) => {
  return { name, input: { price: amount }, ...(id !== undefined && { id }) };
};

/** One that is denied, then one that runs. */
export const script = [[call(600)], [call(200)], "done"] as const;

type Pay = (input: { price: number }) => unknown;

/** The stage's tool as a raw one of Mastra's. */
export function payTool(stage: Pick<Stage, "pay">, body: Pay = (input) => stage.pay(input)) {
  return createTool({
    id: "pay",
    description: "pays",
    inputSchema: price,
    execute: async (input) => body(input),
  });
}

export interface AgentOptions {
  readonly script: Script;
  readonly tools?: ToolsInput;
  /** More of the configuration, before the guard comes. */
  readonly config?: object;
  /** Where suspended runs lie. */
  readonly storage?: InMemoryStore;
}

/** An agent without a guard. */
export function rawAgent(options: AgentOptions & { readonly model: Model }): Agent {
  return new Agent({
    id: "agent",
    name: "agent",
    description: "pays",
    instructions: "pay",
    defaultOptions: { maxSteps: 30 },
    model: options.model,
    tools: options.tools ?? {},
    ...options.config,
  });
}

export function agentOf(stage: Stage, { script: turns, tools, config, storage }: AgentOptions) {
  const model = scriptedModel(turns);
  const given = {
    id: "agent",
    name: "agent",
    instructions: "pay",
    model,
    tools: tools ?? { pay: payTool(stage) },
    defaultOptions: { maxSteps: 30 },
    ...config,
  };
  const agent = new Agent(withAgentKeys(stage.guard, given, { tools: false }));
  if (storage !== undefined) void new Mastra({ agents: { agent }, storage, logger: false });
  return { model, agent };
}

/** How a run stands: over, or waiting. */
export interface Stand {
  readonly runId: string;
  readonly toolCallId: string;
}

type Streamed = Awaited<ReturnType<Agent["stream"]>>;
type Generated = Awaited<ReturnType<Agent["generate"]>>;

/** In this mode, to the end or to where it is suspended. */
export async function play(
  mode: Mode,
  { generate, stream }: { generate(): Promise<Generated>; stream(): Promise<Streamed> },
): Promise<Stand> {
  if (mode === "invoke") return standOf(await generate());
  const streamed = await stream();
  for await (const part of mode === "stream" ? streamed.textStream : streamed.fullStream) {
    if (typeof part !== "string" && part.type === "error") throw part.payload.error;
  }
  return standOf({ runId: streamed.runId, suspendPayload: await streamed.suspendPayload });
}

function standOf({ runId, suspendPayload }: Pick<Generated, "runId" | "suspendPayload">): Stand {
  const { toolCallId = "" } = (suspendPayload ?? {}) as { toolCallId?: string };
  return { runId: runId ?? "", toolCallId };
}

export function start(agent: Agent, mode: Mode, options: object = {}): Promise<Stand> {
  return play(mode, {
    generate: () => agent.generate("go", options),
    stream: () => agent.stream("go", options),
  });
}

export function approve(agent: Agent, mode: Mode, stand: Stand): Promise<Stand> {
  return play(mode, {
    generate: () => agent.approveToolCallGenerate(stand),
    stream: () => agent.approveToolCall(stand),
  });
}

/** Runs a guarded agent to its end and tells what its model read. */
export async function run(
  stage: Stage,
  mode: Mode,
  { options = {}, ...given }: AgentOptions & { readonly options?: object },
): Promise<Pick<Played, "read" | "survived">> {
  const { agent, model } = agentOf(stage, given);
  const survived = await start(agent, mode, options).then(
    () => true,
    () => false,
  );
  return { read: readBy(model), survived };
}

export function readBy(model: Model): string[] {
  return answersRead(model).map(({ text }) => text);
}
