import { withAgentKeys } from "@agentkeys/ai-sdk";
import type { Script } from "@agentkeys/testing";
import { answersRead, scriptedModel } from "@agentkeys/testing/ai-sdk";
import { type ModelMessage, tool, ToolLoopAgent, type ToolSet } from "ai";
import { z } from "zod";
import type { Played } from "../observe.ts";
import type { Mode } from "../shapes.ts";
import type { Stage } from "../stage.ts";

type Model = ReturnType<typeof scriptedModel>;
type Agent = ToolLoopAgent<never, ToolSet>;
type Settings = ConstructorParameters<typeof ToolLoopAgent<never, ToolSet>>[0];

export const price = z.object({ price: z.number() });

export const call = (amount: number, name = "pay", id?: string) => {
  return { name, input: { price: amount }, ...(id !== undefined && { id }) };
};

/** One that is denied, then one that runs. */
export const script = [[call(600)], [call(200)], "done"] as const;

type Pay = (
  input: { price: number },
  options: { abortSignal?: AbortSignal | undefined },
) => unknown;

/** The stage's tool as a raw one of the SDK's. */
export function payTool(stage: Pick<Stage, "pay">, body: Pay = (input) => stage.pay(input)) {
  return tool({ inputSchema: price, execute: async (input, options) => body(input, options) });
}

export interface AgentOptions {
  readonly script: Script;
  readonly tools?: ToolSet;
  /** The agent's own, before the guard comes. */
  readonly settings?: Partial<Settings>;
  /** Of the run, after the guard has come. */
  readonly override?: Partial<Settings>;
}

export function agentOf(stage: Stage, { script: turns, tools, settings, override }: AgentOptions) {
  const model = scriptedModel(turns);
  const given: Settings = { ...settings, model, tools: tools ?? { pay: payTool(stage) } };
  const guarded = withAgentKeys(stage.guard, given, { tools: false });
  return { model, agent: new ToolLoopAgent({ ...guarded, ...override }) };
}

export interface Given {
  readonly messages?: ModelMessage[];
  readonly abortSignal?: AbortSignal;
  readonly timeout?: { toolMs: number };
}

/** A run to its end, and the history as a client would send it back. Rejects when the run itself dies. */
export async function start(
  agent: Agent,
  mode: Mode,
  { messages = [{ role: "user", content: "go" }], ...given }: Given = {},
): Promise<ModelMessage[]> {
  const options = { ...given, messages: structuredClone(messages) };
  const said = mode === "invoke" ? await agent.generate(options) : await agent.stream(options);
  if ("textStream" in said && mode === "stream") for await (const _ of said.textStream);
  if ("textStream" in said && mode === "events") {
    for await (const part of said.stream) if (part.type === "error") throw part.error;
  }
  return JSON.parse(JSON.stringify([...messages, ...(await said.responseMessages)]));
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
