import type { Script } from "@agentkeys/testing";
import { scriptedModel } from "@agentkeys/testing/ai-sdk";
import { ToolLoopAgent, type ToolSet } from "ai";
import { type Given, payTool, readBy, start } from "../../matrix/ai-sdk/run.ts";
import type { Mode } from "../../matrix/shapes.ts";
import type { PeerPlayed, PeerStage } from "../peer.ts";
import type { Open, Settings } from "./seam.ts";
import { survives } from "../survives.ts";

export interface AgentOptions {
  readonly script: Script;
  readonly tools?: ToolSet;
  readonly settings?: Partial<Settings>;
  /** Of the run, after the guard has come. */
  readonly override?: Partial<Settings>;
}

export function agentOf(open: Open, stage: PeerStage, options: AgentOptions) {
  const { script, tools = { pay: payTool(stage) }, settings, override } = options;
  const model = scriptedModel(script);
  const guarded = open.agent({ ...settings, model, tools });
  return { model, agent: new ToolLoopAgent<never, ToolSet>({ ...guarded, ...override }) };
}

/** Runs an agent to its end and tells what its model read. */
export async function run(
  open: Open,
  stage: PeerStage,
  { mode, given, ...options }: AgentOptions & { readonly mode: Mode; readonly given?: Given },
): Promise<Pick<PeerPlayed, "read" | "survived">> {
  const { agent, model } = agentOf(open, stage, options);
  const survived = await survives(start(agent, mode, given));
  return { read: readBy(model), survived };
}
