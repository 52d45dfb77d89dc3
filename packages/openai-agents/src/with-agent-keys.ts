import { type AgentOptions, assertCovered, type Guard, isOwn } from "@agentkeys/core";
import { governed, guardHandoffs } from "./governed.ts";
import { agentKeysTools } from "./own-tools.ts";
import type { AgentConfig } from "./sdk-tool.ts";

/**
 * The whole guard for one agent: AgentKeys' tools added, its own tools, its MCP servers' and all agents that it hands over to
 * guarded. For `new Agent` and `Agent.create`; keeps the type.
 */
export function withAgentKeys<const C extends AgentConfig>(
  guard: Guard,
  config: C,
  { tools: only, strict = false }: AgentOptions = {},
): C {
  const { tools = [], handoffs = [] } = config;
  const none = only === false || tools.some((tool) => "invoke" in tool && isOwn(tool.invoke));
  const own = none ? [] : agentKeysTools(guard.client, only && { only });
  const guarded = {
    ...config,
    tools: governed(guard, [...own, ...tools]),
    handoffs: guardHandoffs(guard, handoffs),
  };
  if (strict) assertCovered(guard, guarded);
  return guarded;
}
