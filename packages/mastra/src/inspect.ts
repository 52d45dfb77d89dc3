import { type Reach, registerInspector } from "@agentkeys/core";
import { Agent } from "@mastra/core/agent";
import { RequestContext } from "@mastra/core/request-context";
import { MASTRA_TOOL_MARKER } from "@mastra/core/tools";
import { nameOf } from "./guard-tools.ts";

registerInspector({
  name: "@agentkeys/mastra",
  inspect(target) {
    const config = target instanceof Agent ? configOf(target) : Object(target);
    const { tools, agents, workflows, hooks } = config;
    // What the model calls is a tool of its own, on which the hooks decide; what is behind it is looked into.
    const behind = (kind: string) => (key: string, inner: unknown, path: string) => [
      { name: `${kind}-${key}`, path, object: hooks },
      { name: key, path, inner },
    ];
    if ("agents" in config || ("instructions" in config && "model" in config)) {
      return [
        ...reaches("tools", tools, toReach),
        ...reaches("agents", agents, behind("agent")),
        ...reaches("workflows", workflows, behind("workflow")),
      ];
    }
    const all = Object.values(config).map(Object);
    const areTools = all.length > 0 && all.every((tool) => MASTRA_TOOL_MARKER in tool);
    return areTools ? reaches("", config, toReach) : undefined;
  },
});

/** An agent does not say which of its parts it makes for each run. */
function configOf(agent: Agent) {
  const tools = () => agent.listTools();
  const agents = () => agent.listAgents();
  const workflows = () => agent.listWorkflows();
  return { tools, agents, workflows, hooks: agent.getConfiguredToolHooks() };
}

type ToReach = (key: string, found: unknown, path: string) => Reach[];

/** What is there, now; what a function of the run gives, when it is asked for. */
function reaches(name: string, given: unknown, to: ToReach): Reach[] {
  const look = (all: unknown) =>
    Object.entries(Object(all)).flatMap(([key, one]) => to(key, one, name && `${name}.${key}`));
  if (typeof given !== "function") return look(given);
  const run = { requestContext: new RequestContext() };
  return [{ name, later: async () => look(await given(run)) }];
}

function toReach(key: string, object: unknown, path: string): Reach[] {
  const { type, mcpMetadata } = Object(object);
  const provided = String(type).startsWith("provider");
  const how = provided ? "provider-executed" : mcpMetadata ? "mcp" : "raw";
  return [{ name: nameOf(key), path: path || key, object, how }];
}
