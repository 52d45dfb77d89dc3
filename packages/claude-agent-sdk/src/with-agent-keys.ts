import type { Options } from "@anthropic-ai/claude-agent-sdk";
import { type AgentOptions, assertCovered, type Guard } from "@agentkeys/core";
import { guardTools } from "./guard-tools.ts";
import { hooksOf, seamIn } from "./hooks.ts";
import "./coverage.ts";
import { agentKeysTools } from "./own-tools.ts";
import { createSeam, holding } from "./seam.ts";

/**
 * The whole guard for one `query({ options })`: AgentKeys' tools added and allowed, in-process servers guarded, hooks set (yours
 * still run), and an input that `canUseTool` changes decided anew. Keeps the type.
 */
export function withAgentKeys<const O extends Options>(
  guard: Guard,
  options: O,
  { tools: only, strict = false }: AgentOptions = {},
): O {
  const { mcpServers, allowedTools = [], hooks = {}, canUseTool, abortController } = options;
  const own = only === false ? {} : agentKeysTools(guard.client, only && { only });
  // A rule would keep these tools from a `canUseTool`.
  const rules = only === false || canUseTool ? [] : ["mcp__agentkeys"];
  const seam = seamIn(hooks, guard) ?? createSeam(guard, abortController?.signal);
  const guarded: O = {
    ...options,
    mcpServers: guardTools(guard, { ...own, ...mcpServers }),
    allowedTools: [...new Set([...allowedTools, ...rules])],
    hooks: hooksOf(seam, hooks),
    ...(canUseTool && { canUseTool: holding(seam, canUseTool) }),
  };
  // Nobody tells how a call ended whose process was killed.
  abortController?.signal.addEventListener("abort", () => void seam.abort(), { once: true });
  if (strict) assertCovered(guard, guarded);
  return guarded;
}
