import { withAgentKeys } from "@agentkeys/openai-agents";
import type { Script } from "@agentkeys/testing";
import { answersRead, scriptedModel } from "@agentkeys/testing/openai-agents";
import { Agent, Runner, RunState, tool } from "@openai/agents-core";
import type { AgentOptions as Config, RunToolApprovalItem } from "@openai/agents-core";
import { z } from "zod";
import type { Played } from "../observe.ts";
import type { Mode } from "../shapes.ts";
import type { Stage } from "../stage.ts";

type Model = ReturnType<typeof scriptedModel>;
export type Tools = NonNullable<Config["tools"]>;

export const price = z.object({ price: z.number() });

export const call = (amount: number, name = "pay", id?: string) => {
  return { name, input: { price: amount }, ...(id !== undefined && { id }) };
};

/** One that is denied, then one that runs. */
export const script = [[call(600)], [call(200)], "done"] as const;

type Pay = (input: { price: number }, signal: AbortSignal | undefined) => unknown;

/** The stage's tool as a raw one of the SDK's. */
export function payTool(stage: Stage, body: Pay = (input) => stage.pay(input), options = {}) {
  return tool({
    name: "pay",
    description: "pays",
    parameters: price,
    execute: async (input, _context, details) => body(input, details?.signal),
    ...options,
  });
}

export interface AgentOptions {
  readonly script: Script;
  readonly tools?: Tools;
  /** The agent's own, before the guard comes. */
  readonly settings?: Partial<Config>;
}

export function agentOf(stage: Stage, { script: turns, tools, settings }: AgentOptions) {
  const model = scriptedModel(turns);
  const config = { name: "buyer", ...settings, model, tools: tools ?? [payTool(stage)] };
  return { model, agent: new Agent(withAgentKeys(stage.guard, config, { tools: false })) };
}

export interface Given {
  readonly signal?: AbortSignal;
  /** A run that waits, as its state was saved. */
  readonly state?: string;
  /** What the client says to each thing that the state asks. Default: yes. */
  readonly answer?: (state: RunState<unknown, Agent>, item: RunToolApprovalItem) => void;
}

/** A run to its end, or to where it waits; gives its state as it would be saved. Rejects when the run itself dies. */
export async function start(agent: Agent, mode: Mode, given: Given = {}): Promise<string> {
  const { signal, state, answer = (saved, item) => saved.approve(item) } = given;
  let input: string | RunState<unknown, Agent> = "go";
  if (state !== undefined) {
    input = await RunState.fromString(agent, state);
    for (const item of input.getInterruptions()) answer(input, item);
  }
  const runner = new Runner({ tracingDisabled: true });
  const options = { maxTurns: 30, ...(signal && { signal }) };
  if (mode === "invoke") return JSON.stringify((await runner.run(agent, input, options)).state);
  const streamed = await runner.run(agent, input, { ...options, stream: true });
  if (mode === "stream") for await (const _ of streamed.toTextStream());
  else for await (const _ of streamed);
  await streamed.completed;
  return JSON.stringify(streamed.state);
}

/** Runs a guarded agent to its end and tells what its model read. */
export async function run(
  stage: Stage,
  mode: Mode,
  { given, ...options }: AgentOptions & { readonly given?: Given },
): Promise<Pick<Played, "read" | "survived">> {
  const { agent, model } = agentOf(stage, options);
  const survived = await start(agent, mode, given).then(
    () => true,
    () => false,
  );
  return { read: readBy(model), survived };
}

export function readBy(model: Model): string[] {
  return answersRead(model).map(({ text }) => text);
}
