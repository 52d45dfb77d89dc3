import type { Script } from "@agentkeys/testing";
import { scriptedModel } from "@agentkeys/testing/mastra";
import { Mastra } from "@mastra/core";
import type { Agent, ToolsInput } from "@mastra/core/agent";
import { InMemoryStore } from "@mastra/core/storage";
import {
  approve,
  payTool,
  play,
  rawAgent,
  readBy,
  type Stand,
  start,
} from "../../matrix/mastra/run.ts";
import type { Mode } from "../../matrix/shapes.ts";
import type { Peer, PeerPlayed, PeerStage } from "../peer.ts";
import { survives } from "../survives.ts";

/** A peer in Mastra, on one stage: what it adds to an agent's configuration. */
export interface Open {
  readonly config: { readonly hooks?: object; readonly defaultOptions?: object };
  /** Whether what waits now is for the host to decline: a no, where the peer can only ask. */
  declines?(): boolean;
}

export interface Seam extends Pick<Peer, "name" | "join" | "records" | "notes"> {
  /** What an option of one run puts in its place. */
  readonly override: object;
  open(stage: PeerStage): Open;
}

export interface AgentOptions {
  readonly script: Script;
  readonly tools?: ToolsInput;
  readonly config?: object;
  readonly storage?: InMemoryStore;
}

export function agentOf(open: Open, stage: PeerStage, options: AgentOptions) {
  const { script, tools = { pay: payTool(stage) }, config = {}, storage } = options;
  const model = scriptedModel(script);
  const defaultOptions = { maxSteps: 30, ...open.config.defaultOptions };
  const given = { ...config, ...open.config, defaultOptions };
  const agent = rawAgent({ script, model, tools, config: given });
  const held = storage ?? new InMemoryStore();
  void new Mastra({ agents: { agent }, storage: held, logger: false });
  return { model, agent };
}

/** From where it stands to the end, or to where a person has to say something. */
async function settle(agent: Agent, mode: Mode, { open, at }: { open: Open; at: Stand }) {
  let stand = at;
  while (stand.toolCallId !== "" && open.declines?.() === true) {
    const { runId, toolCallId } = stand;
    stand = await play(mode, {
      generate: () => agent.declineToolCallGenerate({ runId, toolCallId }),
      stream: () => agent.declineToolCall({ runId, toolCallId }),
    });
  }
  return stand;
}

export async function drive(
  agent: Agent,
  mode: Mode,
  { open, options }: { open: Open; options?: object },
): Promise<Stand> {
  return settle(agent, mode, { open, at: await start(agent, mode, options) });
}

export async function approved(
  agent: Agent,
  mode: Mode,
  { open, at }: { open: Open; at: Stand },
): Promise<Stand> {
  return settle(agent, mode, { open, at: await approve(agent, mode, at) });
}

/** Runs an agent to its end and tells what its model read. */
export async function run(
  open: Open,
  stage: PeerStage,
  { mode, options, ...given }: AgentOptions & { readonly mode: Mode; readonly options?: object },
): Promise<Pick<PeerPlayed, "read" | "survived"> & { waits: boolean }> {
  const { agent, model } = agentOf(open, stage, given);
  const driving = drive(agent, mode, { open, ...(options && { options }) });
  const survived = await survives(driving);
  const waits = survived && (await driving).toolCallId !== "";
  return { read: readBy(model), survived, waits };
}
