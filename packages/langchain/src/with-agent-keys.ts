import { type AgentOptions, assertCovered, type Guard, isGuardedBy, isOwn } from "@agentkeys/core";
import { agentKeysTools } from "./agent-keys-tools.ts";
import { guardTools } from "./guard-tools.ts";
import "./inspect.ts";
import type { AgentConfig, Subagent } from "./inspect.ts";
import { agentKeysMiddleware } from "./middleware.ts";

/**
 * A config of `createAgent` or `createDeepAgent` under the guard, of its own type: tools guarded, AgentKeys' tools added, the
 * middleware last, sub-agents alike.
 */
export function withAgentKeys<const C extends AgentConfig>(
  guard: Guard,
  config: C,
  { tools: only, strict = false }: AgentOptions = {},
): C {
  const { tools: given = [], middleware = [], subagents } = config;
  const others = middleware.filter((one) => !isGuardedBy(one, guard));
  const none = only === false || given.some(isOwn);
  const own = none ? [] : agentKeysTools(guard.client, only && { only });
  const tools = [...own, ...guardTools(guard, given)];
  // Where another middleware wraps tool calls, a tool's error is its to handle, as it was without the guard.
  const toolErrors = others.some(({ wrapToolCall }) => wrapToolCall) ? "throw" : "message";
  const wrapped = {
    ...config,
    ...(tools.length > 0 && { tools }), // a sub-agent without any has its parent's
    middleware: [...others, agentKeysMiddleware(guard, { toolErrors })],
    ...(subagents && { subagents: guardSubagents(guard, subagents) }),
  };
  if (strict) assertCovered(guard, wrapped);
  return wrapped;
}

function guardSubagents(guard: Guard, given: readonly Subagent[]): Subagent[] {
  const all = given.some(({ name }) => name === general.name) ? given : [general, ...given];
  return all.map((one) => (one.runnable ? one : withAgentKeys(guard, one, { tools: false })));
}

/** deepagents adds one of this name by itself where none is given. */
const general: Subagent & Record<"description" | "systemPrompt", string> = {
  name: "general-purpose",
  description: "Does a task of several steps by itself, with the tools of the main agent.",
  systemPrompt: "Do the task that you are given with your tools, and report the result.",
};
