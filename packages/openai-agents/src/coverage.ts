import { type Guard, type How, isGuardedBy, isOwn, type Reach } from "@agentkeys/core";
import { registerInspector } from "@agentkeys/core";
import { guardTool } from "./guard-tool.ts";
import type { AgentConfig, AnyAgent, AnyTool } from "./sdk-tool.ts";
import { governorOf, isAgentTool } from "./sdk-tool.ts";

registerInspector({
  name: "@agentkeys/openai-agents",
  inspect(target, guard) {
    if (isTools(target)) return target.map((tool) => reachOf(tool, guard));
    const config = Object(target) as AgentConfig;
    return config.name && isTools(config.tools ?? []) ? reachesOf(config, guard) : undefined;
  },
});

const types = new Set(["function", "hosted_tool", "computer", "shell", "apply_patch"]);

function isTools(target: unknown): target is readonly AnyTool[] {
  return Array.isArray(target) && target.every((tool) => types.has(Object(tool).type as string));
}

/** What an agent, and every one that it hands over to, can reach. */
function reachesOf(first: AgentConfig, guard: Guard): Reach[] {
  const agents = new Map<AgentConfig, string>([[first, ""]]);
  const found: Reach[] = [];
  // A map gives what is added while it is read.
  for (const [{ tools = [], mcpServers = [], handoffs = [] }, at] of agents) {
    const guarded = governorOf({ tools, handoffs }) === guard;
    for (const tool of tools) {
      const given = guarded ? guardTool(guard, tool) : tool;
      found.push({ ...reachOf(given, guard), path: `${at}tools.${tool.name}` });
    }
    for (const server of mcpServers) {
      const path = `${at}mcpServers.${server.name}`;
      const how = guarded ? "guarded" : "mcp";
      const later = async (): Promise<Reach[]> =>
        (await server.listTools()).map(({ name }) => ({ name, path: `${path}.${name}`, how }));
      found.push({ name: server.name, path, later });
    }
    for (const to of handoffs) {
      const agent: AnyAgent = "agent" in to ? to.agent : to;
      if (!agents.has(agent)) agents.set(agent, `${at}handoffs.${agent.name}.`);
    }
  }
  return found;
}

function reachOf(tool: AnyTool, guard: Guard): Reach {
  const { name, type } = tool;
  if (type === "function") {
    if (isOwn(tool.invoke)) return { name, object: tool.invoke };
    const raw: How = isAgentTool(tool) ? "sub-agent" : "raw";
    return { name, object: tool, how: isGuardedBy(tool.invoke, guard) ? "guarded" : raw };
  }
  const local = type === "computer" || type === "apply_patch" || (type === "shell" && tool.shell);
  return { name, object: tool, how: local ? "raw" : "provider-executed" };
}
