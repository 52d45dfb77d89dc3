import { AgentKeysError } from "@agentkeys/contract";
import { type Guard, isGuardedBy } from "@agentkeys/core";
import type { Agent, ToolsInput } from "@mastra/core/agent";
import { guardTools } from "./guard-tools.ts";
import { agentKeysHooks } from "./hooks.ts";
import { agentKeysTools } from "./own-tools.ts";

export interface WithAgentKeysOptions {
  /** Keys of the AgentKeys tools to add (`memory_get`, …); false adds none. Default: all. */
  tools?: readonly string[] | false;
  /** Throw `config_invalid` when a tool runs where no guard reaches. Default: false. */
  strict?: boolean;
}

/** The whole guard for one agent: AgentKeys' tools added, the others guarded, `hooks` set. Hooks already there still run. */
export function withAgentKeys<const C extends ConstructorParameters<typeof Agent>[0]>(
  guard: Guard,
  config: C,
  { tools: only, strict = false }: WithAgentKeysOptions = {},
): C {
  const { tools, hooks, agents, workflows } = config;
  const own = only === false ? {} : agentKeysTools(guard.client, only && { only });
  const guarded = (given: ToolsInput = {}): ToolsInput => {
    const raw = Object.keys(given).filter((name) => !Reflect.get(given[name] ?? {}, "execute"));
    if (agents ?? workflows) raw.push("the tools of agents and workflows");
    if (strict && raw.length > 0) {
      throw new AgentKeysError("config_invalid", `strict: no guard reaches ${raw.join(", ")}`);
    }
    return { ...own, ...guardTools(guard, given) };
  };
  return {
    ...config,
    tools: typeof tools === "function" ? async (run) => guarded(await tools(run)) : guarded(tools),
    hooks: isGuardedBy(hooks, guard) ? hooks : agentKeysHooks(guard, hooks),
  };
}
