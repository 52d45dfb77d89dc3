import type { ToolLoopAgent, ToolSet } from "ai";
import type { Peer, PeerStage } from "../peer.ts";

export type Settings = ConstructorParameters<typeof ToolLoopAgent<never, ToolSet>>[0];

/** A peer in the AI SDK, on one stage. */
export interface Open {
  /** Its place in the agent's settings. */
  agent(settings: Settings): Settings;
  /** Its tool objects; undefined where it has none. */
  tools?(tools: ToolSet): ToolSet;
}

export interface Seam extends Pick<Peer, "name" | "join" | "records" | "notes"> {
  /** A person can be asked and the run resumed. */
  readonly asks: boolean;
  /** Its policy comes from elsewhere. Default: it is the program's own function. */
  readonly hasSource?: true;
  /** `withSource`: the policy comes from elsewhere, which may be silent or wrong. */
  open(stage: PeerStage, what?: { readonly withSource?: boolean }): Promise<Open>;
}
