import type { JsonSchema } from "@agentkeys/contract";
import type { Guard } from "@agentkeys/core";
import type { z } from "zod";
import type { Script } from "./script.ts";

/** A tool in no framework's form; each driver builds its framework's own tool from it. */
export interface SuiteTool {
  name: string;
  description: string;
  schema: z.ZodObject;
  /** An async generator function makes a streaming tool where the framework has them. */
  execute(input: never, context: { signal?: AbortSignal | undefined }): unknown;
}

export interface AgentRun {
  guard: Guard;
  tools: readonly SuiteTool[];
  script: Script;
  signal?: AbortSignal;
  /** Default: `generate`. */
  mode?: "generate" | "stream";
  /** AgentKeys operations offered beside the tools; default: all, `false`: none. */
  own?: readonly string[] | false;
  /** Adds the run's own option that replaces the agent-level seam, where the framework has one. */
  replaceSeam?: boolean;
}

/** What the model read in answer to one call. */
export interface ToolAnswer {
  id: string;
  tool: string;
  /** The framework's own denied or error form (not a plain result). */
  refused: boolean;
  text: string;
}

export interface AgentResult {
  /** The run's last text. */
  text: string;
  answers: ToolAnswer[];
  /** What the model was offered at its first turn. */
  offered: { name: string; schema: JsonSchema }[];
  /** Preliminary results of streaming tools, in order. */
  preliminary: unknown[];
}

/** Everything that the framework suite needs of a framework package; built through `withAgentKeys` and `guardTools`. */
export interface FrameworkDriver {
  name: string;
  /** Whether the framework runs async generators as tools. */
  generators: boolean;
  /** Whether the calls of one turn are decided at the same time; `false`: the framework asks for one after another. */
  decidesAtOnce: boolean;
  /** The framework itself ends a run whose model uses a call id for two calls. Default: false. */
  endsOnRepeatedId?: boolean;
  /** Runs a real agent loop with a scripted model. Rejects when the run itself dies. */
  run(run: AgentRun): Promise<AgentResult>;
  /** Calls one guarded tool object with no agent around it. Denials come back as text, in the object's own form. */
  direct(
    guard: Guard,
    tool: SuiteTool,
    call: { input: unknown; id?: string; signal?: AbortSignal },
  ): Promise<{ ran: true; result: unknown } | { ran: false; text: string }>;
  /** An outer agent (unguarded) whose one tool runs an inner agent that was given guarded tool objects; answers are the inner ones. */
  subAgent(run: AgentRun): Promise<AgentResult>;
}
