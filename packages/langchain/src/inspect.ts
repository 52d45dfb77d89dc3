import { isGuardedBy, type Reach, registerInspector } from "@agentkeys/core";
import { Runnable } from "@langchain/core/runnables";
import type { AgentMiddleware } from "langchain";
import { type AnyTool, isIntact } from "./guard-tools.ts";

/** What `createAgent` or `createDeepAgent` takes, as far as it leads to tools. */
export interface AgentConfig {
  readonly tools?: AnyTool[];
  readonly middleware?: readonly AgentMiddleware[];
  readonly subagents?: readonly Subagent[];
}

/** deepagents': a configuration, or one that is compiled already, or on another machine. */
export type Subagent = AgentConfig & { name?: string; runnable?: unknown; graphId?: string };

registerInspector({
  name: "@agentkeys/langchain",
  inspect(target, guard) {
    if (Array.isArray(target)) return target.every(isTool) ? target.map(toReach) : undefined;
    // An agent keeps its configuration.
    const { options: config = target } = Object(target) as { options?: unknown };
    const { middleware, tools = middleware && [], subagents = [] } = Object(config) as AgentConfig;
    // Of names only are the lists of other frameworks.
    if (!Array.isArray(tools) || typeof tools[0] === "string") return undefined;
    const found = [...tools, ...(middleware ?? []).flatMap((one) => one.tools ?? [])].map(toReach);
    // The middleware runs whatever it can as a guarded object.
    const seam = middleware?.some((one) => isGuardedBy(one, guard)) ?? false;
    return [
      ...found.map((one) => (seam && one.object ? { ...one, how: "guarded" as const } : one)),
      ...subagents.map(({ name = "", runnable, graphId, ...agent }) => {
        const inner = runnable ?? graphId ?? { tools, ...agent };
        return { name, path: `subagents.${name}`, inner };
      }),
    ];
  },
});

function isTool(tool: unknown): tool is AnyTool {
  return Runnable.isRunnable(tool) || "type" in Object(tool);
}

function toReach(tool: AnyTool): Reach {
  const { name, type, metadata } = tool as { name?: string; type?: string; metadata?: object };
  const found = { name: name ?? type ?? "" };
  if (!Runnable.isRunnable(tool)) return { ...found, how: "provider-executed" };
  if (!isIntact(tool)) return { ...found, how: "raw" };
  return { ...found, object: tool, how: "annotations" in Object(metadata) ? "mcp" : "raw" };
}
