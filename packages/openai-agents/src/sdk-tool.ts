import type { Guard } from "@agentkeys/core";
import type { Agent, RunContext } from "@openai/agents-core";

// oxlint-disable-next-line typescript/no-explicit-any -- the SDK's own word for an agent of any context and output
export type AnyAgent = Agent<any, any>;
export type AnyTool = AnyAgent["tools"][number];
export type AgentConfig = Parameters<AnyAgent["clone"]>[0];
export type AnyFunctionTool = Extract<AnyTool, { type: "function" }>;

/** Lists of tools and of handoffs whose agents a guard governs. */
export const governors = new WeakMap<object, Guard>();

/** A clone keeps at least one of the lists: whoever adds tools, as the SDK does for a sandbox, gives it another list of tools. */
export function governorOf({ tools = [], handoffs = [] }: AgentConfig): Guard | undefined {
  return governors.get(tools) ?? governors.get(handoffs);
}

/** Of `agent.asTool()`. */
export const isAgentTool = (tool: AnyTool): boolean => "on" in tool;

/** The run's own name, the same when it is resumed, is in the program's context: `context: { runKey }`. */
export function runKeyOf(context: RunContext): string | undefined {
  const { runKey } = Object(context.context) as { runKey?: unknown };
  return typeof runKey === "string" ? runKey : undefined;
}
