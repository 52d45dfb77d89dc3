import { copyWith, currentCall, type Guard } from "@agentkeys/core";
import { Agent } from "@openai/agents-core";
import { guardTool } from "./guard-tool.ts";
import { type AnyAgent, type AnyTool, governors, isAgentTool } from "./sdk-tool.ts";
import "./coverage.ts";

/**
 * The same tools, each deciding for itself before it runs: in an agent, in an inner one, or invoked directly. A refused call is a
 * text for the model; where a person is asked, the run is interrupted. Tools that the provider runs, computers, AgentKeys' own and
 * those of another guard are returned as they are. Throws `config_invalid` for a function tool that this copy of the SDK has not made.
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
const { getAllTools } = Agent.prototype;
Agent.prototype.getAllTools = async function (...given) {
  const guard = governors.get(this.tools) ?? currentCall()?.guard;
  const tools = await getAllTools.apply(this, given);
  return guard === undefined ? tools : guardTools(guard, tools);
};

const copies = new WeakMap<Guard, WeakMap<AnyAgent, AnyAgent>>();

/**
 * The agent-level seam: the same agent under this guard, with all that it hands over to, in circles too. Its lists are frozen; what is
 * added to the given agent's later counts. One that a guard governs already is returned as it is.
 */
export function guardAgent<A extends AnyAgent>(guard: Guard, agent: A): A {
  if (governors.has(agent.tools)) return agent;
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
  return Object.freeze(guarded) as AnyAgent["handoffs"] as T;
}
