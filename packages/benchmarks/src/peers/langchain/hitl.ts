import type { Script } from "@agentkeys/testing";
import { scriptedModel } from "@agentkeys/testing/langchain";
import type { StructuredTool } from "@langchain/core/tools";
import { Command, MemorySaver } from "@langchain/langgraph";
import { type AgentMiddleware, createAgent, humanInTheLoopMiddleware } from "langchain";
import { payTool, readBy, type Runs, start, thread } from "../../matrix/langchain/run.ts";
import type { Mode } from "../../matrix/shapes.ts";
import type { PeerPlayed, PeerStage } from "../peer.ts";
import { type Policy, wordFor, type Words } from "../policy.ts";
import { survives } from "../survives.ts";

export interface AgentOptions {
  readonly script: Script;
  readonly tools?: readonly object[];
  readonly middleware?: readonly AgentMiddleware[];
  readonly checkpointer?: MemorySaver | false;
}

/** It can only ask: a no is an ask that the host rejects. */
const words: Words<boolean> = { allow: false, ask: true, deny: true, none: false };

interface Asked {
  readonly toolCall: { readonly name: string; readonly args: object };
}

function hitl(policy: Policy): AgentMiddleware {
  const when = ({ toolCall: { name, args } }: Asked) => policy.answer(name, args, words);
  const interruptOn = { pay: { allowedDecisions: ["approve", "reject"], when } };
  // Its options are typed through another major of zod than the one that is here.
  return humanInTheLoopMiddleware({ interruptOn } as never);
}

export function agentOf(stage: PeerStage, options: AgentOptions) {
  const { script, tools = [payTool(stage)], middleware = [] } = options;
  const { checkpointer = new MemorySaver() } = options;
  const model = scriptedModel(script);
  const agent = createAgent({
    model,
    tools: tools as StructuredTool[],
    middleware: [hitl(stage.policy), ...middleware],
    ...(checkpointer !== false && { checkpointer }),
  });
  return { model, agent };
}

/** What waits, in a graph of any state. */
interface Waits extends Runs {
  readonly graph: Runs["graph"] & {
    getState(options: object): Promise<{
      readonly tasks: readonly { readonly interrupts: readonly { readonly value?: unknown }[] }[];
    }>;
  };
}

interface Request {
  readonly actionRequests: readonly { readonly name: string; readonly args: object }[];
}

/** To the end, or to where a person has to say something: what the policy denies, the host rejects at once. */
export async function drive(
  agent: Waits,
  mode: Mode,
  { options = thread, ...given }: { input?: unknown; options?: object } = {},
): Promise<void> {
  await start(agent, mode, { ...given, options });
  for (;;) {
    const { tasks } = await agent.graph.getState(options);
    const asked = tasks.flatMap(({ interrupts }) => interrupts)[0]?.value as Request | undefined;
    if (asked === undefined) return;
    const said = asked.actionRequests.map(({ name, args }) => wordFor(name, args));
    if (said.includes("ask")) return;
    const decisions = said.map((word) =>
      word === "deny" ? { type: "reject", message: "over 500" } : { type: "approve" },
    );
    await start(agent, mode, { input: new Command({ resume: { decisions } }), options });
  }
}

/** Runs an agent to its end and tells what its model read. */
export async function run(
  stage: PeerStage,
  mode: Mode,
  { options = {}, ...given }: AgentOptions & { readonly options?: object },
): Promise<Pick<PeerPlayed, "read" | "survived">> {
  const { agent, model } = agentOf(stage, given);
  const survived = await survives(drive(agent, mode, { options: { ...thread, ...options } }));
  return { read: readBy(model), survived };
}
