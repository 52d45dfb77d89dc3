import { type Guard, isGuardedBy, isOwn } from "@agentkeys/core";
import type { AgentMiddleware } from "langchain";
import { agentKeysTools } from "./agent-keys-tools.ts";
import { type AnyTool, guardTools } from "./guard-tools.ts";
import { agentKeysMiddleware } from "./middleware.ts";

interface AgentConfig {
  readonly tools?: AnyTool[];
  readonly middleware?: readonly AgentMiddleware[];
}

export interface WithAgentKeysOptions {
  /** AgentKeys operations to offer, by key (`memory_get`, …); `false`: none. Default: all, unless the config has some. */
  tools?: readonly string[] | false;
  /** Throws `config_invalid` for a tool that runs where no guard can stand. Default: false, it is left as it is. */
  strict?: boolean;
}

/** A config of `createAgent` under the guard, of its own type: tools guarded, AgentKeys' tools added, the middleware last. */
export function withAgentKeys<const C extends AgentConfig>(
  guard: Guard,
  config: C,
  { tools: only, strict = false }: WithAgentKeysOptions = {},
): C {
  const { tools = [], middleware: given = [] } = config;
  const others = given.filter((middleware) => !isGuardedBy(middleware, guard));
  const theirs = others.flatMap((other) => other.tools ?? []);
  if (strict) guardTools(guard, theirs, { strict }); // they run as they are; the middleware guards them
  const none = only === false || tools.some(isOwn);
  const own = none ? [] : agentKeysTools(guard.client, only && { only });
  const all = [...own, ...guardTools(guard, tools, { strict })];
  // Where another middleware wraps tool calls, a tool's error is its to handle, as it was without the guard.
  const toolErrors = others.some(({ wrapToolCall }) => wrapToolCall) ? "throw" : "message";
  const middleware = [...others, agentKeysMiddleware(guard, { toolErrors })];
  return { ...config, tools: all, middleware };
}
