import type { Guard } from "@agentkeys/core";
import type { Agent, RunContext } from "@openai/agents-core";

// oxlint-disable-next-line typescript/no-explicit-any -- the SDK's own word for an agent of any context and output
export type AnyAgent = Agent<any, any>;
export type AnyTool = AnyAgent["tools"][number];
export type AgentConfig = Parameters<AnyAgent["clone"]>[0];
export type AnyFunctionTool = Extract<AnyTool, { type: "function" }>;

/** Lists of tools whose agents a guard governs: an agent, and every clone of it, keeps its list. */
export const governors = new WeakMap<readonly AnyTool[], Guard>();

/** Of `agent.asTool()`. */
export const isAgentTool = (tool: AnyTool): boolean => "on" in tool;

/** The run's own name, the same when it is resumed, is in the program's context: `context: { runKey }`. */
export function runKeyOf(context: RunContext): string | undefined {
  const { runKey } = Object(context.context) as { runKey?: unknown };
  return typeof runKey === "string" ? runKey : undefined;
}
