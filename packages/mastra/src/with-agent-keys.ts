import { type AgentOptions, assertCovered, type Guard, isGuardedBy } from "@agentkeys/core";
import { Agent, type SubAgent } from "@mastra/core/agent";
import type { RequestContext } from "@mastra/core/request-context";
import type { ToolHooks } from "@mastra/core/tools";
import type { DynamicArgument } from "@mastra/core/types";
import { guardTools, mapped } from "./guard-tools.ts";
import { agentKeysHooks } from "./hooks.ts";
import { guardOptions, guardProcessors } from "./injected.ts";
import "./inspect.ts";
import { agentKeysTools } from "./own-tools.ts";

type Config = ConstructorParameters<typeof Agent>[0];
type Run = { requestContext: RequestContext };

/**
 * The whole guard for one agent: AgentKeys' tools added, the others guarded, its `agents` too, `hooks` set (those that are there
 * still run). Of the calls of a turn one runs after another, so that each may ask a person, unless `defaultOptions` says otherwise.
 */
export function withAgentKeys<const C extends Config>(
  guard: Guard,
  config: C,
  { tools: only, strict = false }: AgentOptions = {},
): C {
  const { tools = {}, agents = {}, defaultOptions = {}, inputProcessors } = config;
  const own = only === false ? {} : agentKeysTools(guard.client, only && { only });
  const isOurs = isGuardedBy(config.hooks, guard);
  const hooks = isOurs ? config.hooks : agentKeysHooks(guard, config.hooks);
  const covered = <P extends object>(parts: P): P => {
    if (strict) assertCovered(guard, { agents: {}, hooks, ...parts });
    return parts;
  };
  return covered({
    ...config,
    tools: lazily(tools, (all) => covered({ tools: { ...own, ...guardTools(guard, all) } }).tools),
    agents: lazily(agents, (all) => {
      return covered({ agents: mapped(all, (one) => guardAgent(guard, one, strict)) }).agents;
    }),
    ...(inputProcessors && {
      inputProcessors: lazily(inputProcessors, (all) => guardProcessors(guard, all)),
    }),
    defaultOptions: lazily(defaultOptions, (options) => ({
      toolCallConcurrency: 1,
      ...guardOptions(guard, options),
    })),
    hooks,
  });
}

/** What a configuration gives, or a function of the run in it, changed. */
function lazily<T, R>(given: DynamicArgument<T>, change: (given: T) => R): DynamicArgument<R> {
  if (typeof given !== "function") return change(given);
  const get = given as (run: unknown) => T | Promise<T>;
  return async (run) => change(await get(run));
}

/** The same for an agent that is there already. What is none of Mastra's stays as it is. */
function guardAgent(guard: Guard, agent: SubAgent, strict: boolean): SubAgent {
  if (!(agent instanceof Agent) || isGuardedBy(agent.getConfiguredToolHooks(), guard)) return agent;
  // Both are internal to Mastra. Without them the agent itself is changed.
  const { __fork: fork, __setTools: setTools } = agent as Partial<Agent>;
  const inner = fork && setTools ? fork.call(agent) : agent;
  const theirs = agent.getConfiguredToolHooks();
  const optionsOf = (inner.getDefaultOptions as (run: Run) => unknown).bind(inner);
  const parts: Partial<Config> = {
    tools: agent.listTools.bind(agent) as never,
    agents: inner.listAgents.bind(inner),
    defaultOptions: async (run) => ({
      inputProcessors: await agent.listConfiguredInputProcessors(run.requestContext),
      ...Object(await optionsOf(run)),
    }),
    ...(theirs && { hooks: theirs }),
  };
  const guarded = withAgentKeys(guard, parts as Config, { tools: false, strict });
  if (inner !== agent) inner.__setTools(guarded.tools as never);
  return Object.assign(inner, {
    ...(inner === agent && { listTools: guarded.tools }),
    listAgents: guarded.agents,
    getDefaultOptions: guarded.defaultOptions,
    getConfiguredToolHooks: () => guarded.hooks,
    // Hooks of one run replace the agent's, but not the guard.
    resolveToolHooks: (run?: ToolHooks) => agentKeysHooks(guard, { ...theirs, ...run }),
  });
}
