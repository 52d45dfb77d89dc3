import type { modelPrefix } from "@agentkeys/contract";
import { brandOwn, ownTools, type OwnToolsOptions, type ToolSource } from "@agentkeys/core";
import { createTool, type Tool } from "@mastra/core/tools";
import { announced } from "./presence.ts";

/**
 * The source's operations as Mastra tools. What the source refuses or cannot do is thrown as AgentKeysError: for the
 * model a tool error. Keys are typed by pattern, so that a map these are spread into keeps its own tools' types.
 */
export function agentKeysTools<const Prefix extends string = typeof modelPrefix>(
  source: ToolSource,
  options: OwnToolsOptions & { prefix?: Prefix } = {},
): Record<`${Prefix}${string}`, Tool> {
  const tools = ownTools(source, options).map(({ name, row, schema: inputSchema, call }) => {
    const mcp = { _meta: { agentkeys: { tool: row.id } } };
    const execute = (input: unknown, run: { abortSignal?: AbortSignal }) =>
      call(input, run.abortSignal);
    const { description } = row;
    const tool = createTool({ id: name, description, inputSchema, mcp, execute });
    return [name, brandOwn(announced(tool, name))];
  });
  return Object.fromEntries(tools) as Record<`${Prefix}${string}`, Tool>;
}
