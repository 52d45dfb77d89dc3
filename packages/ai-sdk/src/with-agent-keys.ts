import { AgentKeysError } from "@agentkeys/contract";
import type { Guard } from "@agentkeys/core";
import type { PrepareStepFunction, ToolApprovalConfiguration, ToolSet } from "ai";
import { agentKeysApproval } from "./approval.ts";
import { guardTools } from "./guard-tools.ts";
import { agentKeysTools } from "./own-tools.ts";

export interface WithAgentKeysOptions {
  /** Keys of the AgentKeys tools to add (`memory_get`, …); false adds none. Default: all. */
  tools?: readonly string[] | false;
  /** Throw `config_invalid` for a tool that the provider runs, where no guard reaches. Default: false. */
  strict?: boolean;
}

// oxlint-disable-next-line typescript/no-explicit-any -- only the agent knows its runtime context's type
type Runtime = any;

/** Types the callbacks written into a configuration by its tools. */
interface Callbacks<T extends ToolSet> {
  tools?: T;
  toolApproval?: ToolApprovalConfiguration<NoInfer<T>, Runtime>;
  prepareStep?: PrepareStepFunction<NoInfer<T>, Runtime>;
}

/**
 * The whole guard for one agent: AgentKeys' tools added, its own tools guarded, `toolApproval` set (one that is there
 * already is asked about what the guard allows). For ToolLoopAgent, generateText and streamText; keeps the type.
 */
export function withAgentKeys<
  const C extends { model?: unknown; tools?: ToolSet },
  T extends ToolSet = {},
>(guard: Guard, config: C & Callbacks<T>, options: WithAgentKeysOptions = {}): C {
  const { tools: only, strict = false } = options;
  const own = only === false ? {} : agentKeysTools(guard.client, only && { only });
  const tools: ToolSet = { ...own, ...guardTools(guard, config.tools ?? {}) };
  const beyond = Object.keys(tools).find((name) => tools[name]?.isProviderExecuted === true);
  if (strict && beyond !== undefined) {
    throw new AgentKeysError("config_invalid", `strict: ${beyond} runs at the provider, unguarded`);
  }
  return { ...config, tools, toolApproval: agentKeysApproval(guard, config.toolApproval) };
}
