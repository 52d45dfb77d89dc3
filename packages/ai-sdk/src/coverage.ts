import { type How, isGuardedBy, registerInspector } from "@agentkeys/core";
import type { ToolSet } from "ai";

type AnyTool = ToolSet[string];

registerInspector({
  name: "@agentkeys/ai-sdk",
  inspect(target, guard) {
    // An agent keeps in `settings` what it was built with.
    const { settings = target } = Object(target) as { settings?: unknown };
    const config = Object(settings) as Record<string, unknown>;
    const { tools = target, toolApproval, agents, workflows } = config;
    // A configuration that lists these is another framework's, which takes tools of this one.
    const isOurs = agents === undefined && workflows === undefined && isToolSet(tools);
    if (!isOurs || (tools === target && Object.keys(tools).length === 0)) return undefined;
    const seam = isGuardedBy(toolApproval, guard);
    return Object.entries(tools).map(([name, object]) => {
      const path = tools === target ? name : `tools.${name}`;
      return { name, path, object, how: howOf(object, seam) };
    });
  },
});

/** How a tool is run that does not decide for itself. `seam`: one that lets calls out to the client, or not. */
function howOf(tool: AnyTool, seam: boolean): How {
  if (tool.isProviderExecuted === true) return "provider-executed";
  if (tool.execute === undefined && seam) return "guarded";
  if ("experimental_toolCaller" in tool) return "code-mode";
  if (tool.metadata?.["clientName"] !== undefined) return "mcp";
  return tool.type === "dynamic" ? "dynamic" : "raw";
}

function isToolSet(value: unknown): value is ToolSet {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((tool) => {
    // Tools of Mastra have the same fields, and an id.
    const { type, inputSchema, id } = Object(tool) as Record<string, unknown>;
    return type === "provider" || (inputSchema !== undefined && id === undefined);
  });
}
