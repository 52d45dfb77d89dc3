/**
 * How a tool is governed: by the guard; by the authority itself; or, not at all, because it is a remote server's, runs at the
 * model's provider, is called from generated code, is made while the agent runs, belongs to a sub-agent, or was simply not guarded.
 */
export type How =
  | "guarded"
  | "agentkeys"
  | "mcp"
  | "provider-executed"
  | "code-mode"
  | "dynamic"
  | "sub-agent"
  | "raw";

export interface CoveredTool {
  /** The name that the model sees. */
  name: string;
  how: How;
  /** Where it was found, `agents.helper.tools.search` say. */
  path: string;
}

export interface Coverage {
  tools: CoveredTool[];
  /** Rows of the guard that govern nothing of it: a misspelt name, or a tool that is not guarded. */
  unused: string[];
}

/** Something that an inspector found. */
export interface Reach {
  /** The name that the model sees; of a sub-agent its own. */
  name: string;
  /** Where, below what was looked at. Default: the name. */
  path?: string;
  /** What bears the brand of `guardTools`: the tool, or its `execute`. */
  object?: unknown;
  /** How it is governed where no brand tells. Default: `raw`. */
  how?: How;
  /** Tools or an agent behind it, looked at in turn; where nothing understands them it is one `sub-agent`. */
  inner?: unknown;
  /** More of the same, known only once it is asked for (tools given as a function). */
  later?: () => PromiseLike<readonly Reach[]> | readonly Reach[];
}
