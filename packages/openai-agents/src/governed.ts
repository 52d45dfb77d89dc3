import { copyWith, currentCall, type Guard } from "@agentkeys/core";
import { Agent } from "@openai/agents-core";
import { guardTool } from "./guard-tool.ts";
import { hearErrors } from "./mcp-errors.ts";
import { type AnyAgent, type AnyTool, governorOf, governors, isAgentTool } from "./sdk-tool.ts";
import "./coverage.ts";

/**
 * The same tools, each deciding for itself before it runs: in an agent, in an inner one, or invoked directly. A refused call is a
 * text for the model; where a person is asked, the run is interrupted. A shell, an editor and a computer decide each action. Tools that
 * the provider runs, AgentKeys' own and those of another guard are returned as they are. Throws `config_invalid` for a function tool
 * that this copy of the SDK has not made.
 */
export function guardTools<T extends readonly AnyTool[]>(guard: Guard, tools: T): T {
  return tools.map((tool) => guardTool(guard, tool)) as readonly AnyTool[] as T;
}

/**
 * The list for an agent under this guard. An agent's tool stays as it is, because a saved run finds its agent by it; all tools are
 * guarded when the agent gives them to a run.
 */
export function governed(guard: Guard, tools: readonly AnyTool[]): AnyTool[] {
  const list = tools.map((tool) => (isAgentTool(tool) ? tool : guardTool(guard, tool)));
  governors.set(list, guard);
  return list;
}

// The one door through which a run gets an agent's tools: also those of MCP servers, those that were added later, and those of an
// agent that runs inside of a guarded call, which nobody has guarded.
const { getAllTools, getEnabledHandoffs } = Agent.prototype;
Agent.prototype.getAllTools = async function (...given) {
  const guard = governorOf(this) ?? currentCall()?.guard;
  if (guard === undefined) return getAllTools.apply(this, given);
  const mcpServers = this.mcpServers.map(hearErrors);
  const agent = mcpServers.length === 0 ? this : copyWith<AnyAgent>(this, { mcpServers });
  return guardTools(guard, await getAllTools.apply(agent, given));
};

// Also where somebody has put other handoffs in place of the guarded ones.
Agent.prototype.getEnabledHandoffs = async function (...given) {
  const handoffs = await getEnabledHandoffs.apply(this, given);
  const guard = governorOf(this);
  return guard === undefined ? handoffs : guardHandoffs(guard, handoffs);
};

const copies = new WeakMap<Guard, WeakMap<AnyAgent, AnyAgent>>();

/**
 * The agent-level seam: the same agent under this guard, with all that it hands over to, in circles too. Its lists are frozen; what is
 * added to the given agent's later counts. One that a guard governs already is returned as it is.
 */
export function guardAgent<A extends AnyAgent>(guard: Guard, agent: A): A {
  if (governorOf(agent)) return agent;
  const known = copies.get(guard) ?? new WeakMap<AnyAgent, AnyAgent>();
  copies.set(guard, known);
  const copy =
    known.get(agent) ??
    copyWith<AnyAgent>(agent, {
      get tools() {
        return Object.freeze(governed(guard, agent.tools)) as AnyTool[];
      },
      get handoffs() {
        return guardHandoffs(guard, agent.handoffs);
      },
    });
  known.set(agent, copy);
  return copy as A;
}

export function guardHandoffs<T extends AnyAgent["handoffs"]>(guard: Guard, handoffs: T): T {
  const guarded = handoffs.map((to) =>
    "agent" in to ? to.clone({ agent: guardAgent(guard, to.agent) }) : guardAgent(guard, to),
  );
  governors.set(guarded, guard);
  return Object.freeze(guarded) as AnyAgent["handoffs"] as T;
}
